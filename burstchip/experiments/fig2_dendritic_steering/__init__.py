"""Figure 2 e to g: dendritic input to a population steers what its synapses learn."""
