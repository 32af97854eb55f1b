"""Where the time of the training loop goes, and what the machine would allow."""
