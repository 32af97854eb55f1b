"""Which neurons share a neurocore, where the neurocores lie, how good that is, and whether it is sound."""
