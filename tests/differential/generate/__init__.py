"""Hypothesis strategies for networks in the YAML language.

Compiling the simulator's loop takes seconds, running it milliseconds, and the loop's text depends only on
some of what a network says. So a network is drawn in two parts: its *structure* (models, sizes, ends of
projections, exponents, delays, rules), and *members* of the structure, which differ in weights, drawn
connectivity, parameters, spike times and seeds, and share the loop but for a few of its lines.
"""
