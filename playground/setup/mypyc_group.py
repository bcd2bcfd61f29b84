"""Compiles modules of the project into one mypyc group; a program of its own, run by `engine_build` in the environment.

    python -m playground.setup.mypyc_group SOURCES OUTPUT MODULE...

SOURCES is a folder with a copy of the project's packages, OUTPUT the folder that receives the extension modules.
It prints mypy's complaints and the C compiler's, and exits with something other than 0 when there are any.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playground.native import GROUP


def build(sources: Path, output: Path, modules: list[str]) -> None:
    """Type-check, translate to C and compile `modules`; raises SystemExit with the reason when one of them can't."""
    os.chdir(sources)
    # Both look at the working folder and at sys.modules when imported: not before we stand where they should look.
    from mypyc.build import mypycify
    from setuptools import Distribution

    with tempfile.TemporaryDirectory(prefix="playground-mypyc-") as scratch:
        files = [module.replace(".", "/") + ".py" for module in modules]
        extensions = mypycify(
            # The package's other modules are read for their types but not reported on.
            ["--config-file=", "--ignore-missing-imports", *files],
            opt_level="3",
            debug_level="0",
            target_dir=scratch,
            group_name=GROUP,
        )
        for extension in extensions:
            # A warning that a newer C compiler has learnt must not leave people without a compiled engine.
            # Multiplying and adding in one rounding, where a processor can, would give other numbers than the interpreter.
            extension.extra_compile_args = [*extension.extra_compile_args, "-Wno-error", "-ffp-contract=off"]
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib = str(output)
        command.build_temp = scratch
        command.ensure_finalized()
        command.run()


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
