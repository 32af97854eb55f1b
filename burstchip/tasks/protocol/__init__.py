"""Protocols: examples shown in phases, teachers that look at rates, and what comes of it."""
