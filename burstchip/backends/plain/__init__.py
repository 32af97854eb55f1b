"""The specification of a step: the order of `docs/time.md` in numpy, one array operation after the other."""
