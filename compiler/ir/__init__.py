"""The two intermediate representations, each with a verifier."""
