"""Our own Lava processes. Lava executes every file of this folder when it looks for a process's models."""
