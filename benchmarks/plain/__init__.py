"""What is measured, once more in plain numpy: the same integers, one array operation after the other."""
