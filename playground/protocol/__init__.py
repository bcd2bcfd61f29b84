"""The wire and the saved design: every shape that crosses a process boundary is declared here, once.

Nothing in this package imports anything of ours, so that a worker, a web process, the code generator and a test can all
hold on to the same definitions.
"""

PROTOCOL_VERSION = 1
"""Version of the live socket's messages; a client that speaks another one is refused by name."""

DESIGN_FORMAT = 1
"""Version of a saved design; older ones are migrated when they are loaded (see ``design.py``)."""
