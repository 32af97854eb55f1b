"""What messages travel over: a child process, a socket, a serial line."""
