"""`python -m burstchip` is `burstchip`."""

from burstchip.cli.main import main

main()
