"""Extended data figure 5: what shapes the dendrite's transfer function, from current to burst probability."""
