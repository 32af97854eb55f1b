"""What the simulator compiles: the loop over steps and the functions that its generated units call."""
