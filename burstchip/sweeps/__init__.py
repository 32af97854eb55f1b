"""Sweeps: a network at every point of a grid of parameters, with several seeds, interrupted at any time."""
