"""The two pages, playground and isolation lab. Each reads from its address what to show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.csrf import ensure_csrf_cookie

from playground.owners import ensure_owner

ENTRY = "src/main.tsx"
LAB_ENTRY = "src/lab/main.tsx"
MANIFEST = settings.BASE_DIR / "static" / "dist" / "manifest.json"


@dataclass(frozen=True)
class Bundle:
    """The addresses of what the page loads: one script, what it imports at once, and the style sheets."""

    script: str
    preloads: tuple[str, ...]
    styles: tuple[str, ...]


@ensure_csrf_cookie
def page(request: HttpRequest, **_: str) -> HttpResponse:
    """The playground, with the cookies that its requests need: owner and CSRF."""
    return _page(request, ENTRY, "Playground")


@ensure_csrf_cookie
def lab(request: HttpRequest) -> HttpResponse:
    """The isolation lab, with the same cookies."""
    return _page(request, LAB_ENTRY, "Isolation lab · Playground")


def _page(request: HttpRequest, entry: str, title: str) -> HttpResponse:
    ensure_owner(request.session)
    return render(request, "index.html", {"bundle": bundle(entry), "title": title})


def bundle(entry: str) -> Bundle | None:
    """What a page is built into, None before anybody has built it (a build from before there was this page is none of it)."""
    try:
        changed = MANIFEST.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(MANIFEST, entry, changed)


@lru_cache(maxsize=4)
def _read(manifest: Path, entry_name: str, changed_ns: int) -> Bundle | None:
    """Vite's manifest, https://vite.dev/guide/backend-integration; read again when it has ``changed_ns``."""
    chunks = json.loads(manifest.read_text(encoding="utf-8"))
    entry = chunks.get(entry_name)
    if entry is None:
        return None
    imported = [chunks[name] for name in entry.get("imports", ())]
    styles = [style for chunk in (entry, *imported) for style in chunk.get("css", ())]

    def address(file: str) -> str:
        return static(f"dist/{file}")

    return Bundle(
        script=address(entry["file"]),
        preloads=tuple(address(chunk["file"]) for chunk in imported),
        styles=tuple(address(style) for style in styles),
    )
