"""Runs: one interface to all backends, and what is done with a run, each thing once."""
