"""Limits of each chip as data, every number with its source."""
