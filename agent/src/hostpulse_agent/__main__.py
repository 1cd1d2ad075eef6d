"""`python -m hostpulse_agent` is the same as `hostpulse-agent`."""

import sys

from hostpulse_agent.monitor_agent import main

if __name__ == "__main__":
    sys.exit(main())
