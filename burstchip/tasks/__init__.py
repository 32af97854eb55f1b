"""Data sets, and the loop that trains and tests a network on one."""
