"""What a program takes of a chip: memory, and for each step work, time and energy. Estimates, all of it."""
