"""The benchmark runner: the same artifacts through the same harness on every target, `burstchip bench`."""
