"""The words that all units of a step share, by their place."""

from __future__ import annotations

# Set for a call of the loop.
BEGIN = 0
FIRST = 1
SEED = 2
# Set for a program: by how many steps sources run ahead of neurons.
LEAD = 3
# Set in every step: the neurons' clock, and the sources'.
N = 4
CLOCK = 5
# Whether the calls behind each of these gates take part in the step.
ALWAYS = 6
NEURONS = 7
SOURCES = 8
WORDS = 9
