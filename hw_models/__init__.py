"""What the hardware does: integer programs, neuron models, learning rules and chip limits."""
