"""What a program costs and does, by the published definitions of the benchmark NeuroBench."""
