"""Figure 4: XOR, learned by bursts."""
