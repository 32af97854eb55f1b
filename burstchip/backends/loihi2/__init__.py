"""Deployment: what would be sent to a chip, and what is missing to send it."""
