"""The simulator: a program's whole run loop, generated, compiled and specialised to it."""
