"""The pages as they are built: what each loads, and what it says where it isn't there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from playground import pages

BUILT = {"src/main.tsx": {"file": "assets/main.js", "imports": ["_shared.js"], "css": ["assets/main.css"]}}
SHARED = {"_shared.js": {"file": "assets/shared.js", "css": ["assets/shared.css"]}}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "manifest.json"
    monkeypatch.setattr(pages, "MANIFEST", path)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/lab"])
def test_a_page_that_nobody_has_built_says_how_to_build_it(manifest: Path, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 200 and b"has not been built yet" in answer.content


@pytest.mark.django_db
def test_a_build_from_before_there_was_the_page_counts_as_none(manifest: Path) -> None:
    manifest.write_text(json.dumps({**BUILT, **SHARED}))
    there, missing = Client().get("/"), Client().get("/lab")
    for asset in (b"main.js", b"shared.js", b"main.css", b"shared.css"):
        assert asset in there.content
    assert b"has not been built yet" not in there.content
    assert missing.status_code == 200 and b"has not been built yet" in missing.content
