"""Limits of requests: how much one conversation and one caller may take, in calls, turns, tokens and money.

`machine.RequestLimits` is pure: states and moments go in and come out. `target.LimitedTarget` keeps the states and
reads the clock; it is what `assurance.arms` puts around a system.
"""
