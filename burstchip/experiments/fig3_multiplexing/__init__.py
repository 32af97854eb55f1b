"""Figure 3: two populations exchange two messages at once, by events and by burst probabilities."""
