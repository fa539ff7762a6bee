"""`python -m rostra.commands`: the same as `rostra`."""

import sys

from rostra.commands import main

sys.exit(main())
