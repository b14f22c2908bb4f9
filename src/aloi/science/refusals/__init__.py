"""Refusals: whether an assistant's answer declines what was asked, in six languages, by phrases that were measured."""
