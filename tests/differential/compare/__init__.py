"""One network in several executions, their differences, and the smallest network that still shows one."""
