"""One compiler pass a file."""
