"""Traces, the sum-of-products grammar, the burst rule and the learning engine."""
