"""Measure: hazards, probes, scorers, the plan, the sequential measurement and its log of trials."""
