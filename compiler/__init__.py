"""From a network in physical units to a chip program in integers."""
