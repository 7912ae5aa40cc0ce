"""``python -m sessionbucket.cli`` is ``sessionbucket``."""

import sys

from sessionbucket.cli import main

sys.exit(main())
