"""``python -m fastsf``: the command line."""

import sys

from fastsf.cli import main

sys.exit(main())
