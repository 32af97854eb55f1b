"""Networks of bursting neurons, described in YAML, that learn in the integers of a neuromorphic chip."""
