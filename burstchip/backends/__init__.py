"""What runs a chip program and gives back recordings, one backend a file."""
