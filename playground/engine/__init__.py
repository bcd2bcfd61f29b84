"""The simulation library: a discrete-event engine for call trees. It knows no Django, no block and no wire.

Ordinary typed Python; compiled by mypyc where a compiler is there, interpreted where none is, with the same results.
"""

from playground import native

native.install()

ENGINE_VERSION = "1.0.0"
"""Part of the law of replay: the same version, design, seed and interventions give the same trace hash."""
