#!/usr/bin/env python3
"""The one command of the project, with any Python from 3.11 on.

python3 manage.py play [--port P] [--no-browser]    set everything up, serve the playground, open it
python3 manage.py test [pytest arguments]           set everything up, run every check
python3 manage.py help                              all other commands
"""

from __future__ import annotations

import sys

from playground.setup.start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
