"""Measurements of speed, and the workloads they measure."""
