"""What each message id means and what to do: pages as data, read without the modules that raise them."""
