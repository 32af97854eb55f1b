"""The published experiments: a folder each, with a network, what is measured, and acceptance numbers."""
