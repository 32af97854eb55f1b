"""Programs that run elsewhere: one set of messages, over a child process, a socket or a serial line."""
