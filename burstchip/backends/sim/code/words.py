"""The words that all units of a step share, by their place."""

from __future__ import annotations

# Set for a call of the loop.
BEGIN = 0
FIRST = 1
SEED = 2
ANNEAL = 3
RECORDING = 4
FIRST_SAMPLE = 5
# Set for a program: a task's times, 0 without a task, and steps between two consolidations, 0 for none.
PRESENT = 6
TEACH_AFTER = 7
CONSOLIDATE_EVERY = 8
LEAD = 9
# Set in every step.
N = 10
CLOCK = 11
SAMPLE = 12
RESET = 13
SOURCE_RESET = 14
LAST = 15
PLASTIC = 16
CONSOLIDATE = 17
# Whether the calls behind each of these gates take part in the step.
ALWAYS = 18
NEURONS = 19
SOURCES = 20
RECORDS = 21
WORDS = 22
