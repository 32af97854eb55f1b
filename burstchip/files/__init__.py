"""Every file format once: what is written and how it is read again."""
