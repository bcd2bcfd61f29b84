"""Compiles modules of the project into one mypyc group; a program of its own, run by `engine_build` in the environment.

    python -m playground.setup.mypyc_group SOURCES OUTPUT MODULE...

SOURCES is a folder with a copy of the project's packages, OUTPUT the folder that receives the extension modules.
It prints mypy's complaints and the C compiler's, and exits with something other than 0 when there are any.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from playground.native import GROUP

COMPILER_FLAGS = (
    # mypy has checked the code. Looking for warnings in generated C takes GCC 12 longer than compiling it (80 s of 140 s for 19,000 lines
    # of Python), and one that a newer compiler has learnt must not leave people without a compiled engine.
    "-Wno-all",
    "-Wno-error",
    # The modules meet through a table, not by names of symbols. Where a symbol may be replaced from outside, GCC neither inlines the
    # function nor calls it directly: that costs an eighth of the engine's speed.
    "-fvisibility=hidden",
    # Multiplying and adding in one rounding, where a processor can, would give other numbers than the interpreter.
    "-ffp-contract=off",
)

TAKEN_TWICE = re.compile(
    r"(\btmp = Vec\w+Api\.unbox\(value[^;]*\);\s+if \(VEC_IS_ERROR\(tmp\)\) \{[^}]*\}\n)\s*VEC_\w+_INCREF\(tmp\);\n"
)
"""In C that mypyc made: a setter that takes a column from Python (`setattr`). `unbox` gives a reference of its own, so the one that
follows is never given back: each way back to a snapshot lost all columns of a run (mypy up to 2.4.1; for whole numbers it was mended in
pull request 21657). Where mypyc no longer writes it, there is nothing to change."""


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
            # As fast here as -O3, and 6 % smaller.
            opt_level="2",
            debug_level="0",
            target_dir=scratch,
            group_name=GROUP,
        )
        for source in Path(scratch).rglob("*.c"):
            source.write_text(TAKEN_TWICE.sub(r"\1", source.read_text(encoding="utf-8")), encoding="utf-8")
        for extension in extensions:
            extension.extra_compile_args = [*extension.extra_compile_args, *COMPILER_FLAGS]
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib = str(output)
        command.build_temp = scratch
        command.ensure_finalized()
        command.run()


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
