"""``python -m core`` is the same as the ``sfumato`` command."""

import sys

from core.headless.cli import main

sys.exit(main())
