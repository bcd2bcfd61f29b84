"""``manage.py codegen``: write the TypeScript that derives from protocol and catalogue; ``--check`` only compares."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from playground.codegen.generate import generated


class Command(BaseCommand):
    """Writes ``frontend/src/generated`` or, with ``--check``, says which of its files are stale and exits 1."""

    help = "Generate the page's TypeScript types and catalogue from the server's declarations."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare ``--check``."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Compare and write; raises :class:`CommandError` naming each stale file under ``--check``."""
        root = settings.BASE_DIR
        files = generated(root)
        stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        names = ", ".join(str(path.relative_to(root)) for path in stale)
        if check and stale:
            raise CommandError(f"stale: {names}; run `python3 manage.py codegen` and commit the result")
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        self.stdout.write(f"written: {names}" if stale else f"{len(files)} files are up to date")
