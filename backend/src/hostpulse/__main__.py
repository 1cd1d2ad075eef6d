"""`python -m hostpulse` is the command `hostpulse`."""

from hostpulse.cli import main

main()
