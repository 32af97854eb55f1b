"""Figure 2 b to d: what trains of spikes that are imposed do to a synapse."""
