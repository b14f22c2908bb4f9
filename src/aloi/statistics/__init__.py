"""Measure risk with few queries: pure numbers, no input or output. Each module is imported by its own name."""
