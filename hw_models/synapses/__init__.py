"""Weight formats and what a synapse stores."""
