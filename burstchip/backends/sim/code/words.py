"""The words that all units of a step share, by their place."""

from __future__ import annotations

# Set for a call of the loop.
BEGIN = 0
FIRST = 1
SEED = 2
RECORDING = 3
# Set for a program: by how many steps sources run ahead of neurons.
LEAD = 4
# Set in every step: the neurons' clock, and the sources'.
N = 5
CLOCK = 6
# Whether the calls behind each of these gates take part in the step.
ALWAYS = 7
NEURONS = 8
SOURCES = 9
RECORDS = 10
WORDS = 11
