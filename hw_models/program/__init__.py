"""Integer programs: operations, tracing, and the interpretations of one traced graph."""
