"""How synapses lie in a neurocore's memory."""
