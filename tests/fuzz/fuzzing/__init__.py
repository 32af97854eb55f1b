"""Inputs that nothing of ours wrote, made from ones that are right, and what commands do with them.

`formats` says which files there are and which commands read them, `altering` changes a file by its kind,
`guard` runs the commands in a process with limits, `oracle` judges what it left, `search` goes through
numbered inputs. An input is a pure function of seed, format and number.
"""

import sys
from pathlib import Path

# What several folders of tests draw; pytest has it in its path, a program does not.
if (shared := str(Path(__file__).parents[2] / "shared")) not in sys.path:
    sys.path.append(shared)
