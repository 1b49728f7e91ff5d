"""``python -m fastsf``: the command line."""

import sys

from fastsf.cli.main import main

sys.exit(main())
