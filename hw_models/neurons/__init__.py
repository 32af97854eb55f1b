"""Neuron and source models, one a file."""
