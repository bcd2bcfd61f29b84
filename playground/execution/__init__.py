"""One run from its scenario on: an engine, its intervention log, snapshots to go back to, a record of what it did.

Used by worker processes (live) and by ``manage.py simulate`` (headless). It knows no Django.
"""

from playground.execution.execution import Execution

__all__ = ["Execution"]
