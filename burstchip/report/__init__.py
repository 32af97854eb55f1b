"""The page that shows what a network learned, and its pictures."""
