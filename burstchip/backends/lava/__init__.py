"""Backend `lava`: the compiled program as Lava processes on the CPU. Nothing outside imports Lava."""
