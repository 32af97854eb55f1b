"""Extended data figure 4: the time-dependent rate model learns MNIST."""
