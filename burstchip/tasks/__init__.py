"""Data sets, encoders, decoders and the loop that trains and evaluates."""
