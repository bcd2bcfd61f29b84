"""Shares never change, drafts never overwrite one another, and nobody sees another's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from playground.designs import store
from playground.designs.models import Share

pytestmark = pytest.mark.django_db

SCENARIO: dict[str, Any] = {
    "design": {"name": "Two blocks", "blocks": [{"id": "a", "kind": "client"}, {"id": "b", "kind": "app_server"}]},
    "seed": 7,
}


def named(name: str) -> dict[str, Any]:
    return {**SCENARIO, "design": {**SCENARIO["design"], "name": name}}


def send(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = json.dumps(body) if body is not None else ""
    answer = getattr(client, method)(path, data, content_type="application/json")
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return answer.status_code, json.loads(answer.content) if is_json and answer.content else None


def test_shared_scenario_comes_back_whole_to_anybody(client: Client) -> None:
    status, shared = send(client, "post", "/api/shares", {"scenario": SCENARIO, "title": "Mine"})
    assert status == 201 and shared["url"] == f"/s/{shared['id']}"
    status, seen = send(Client(), "get", f"/api/shares/{shared['id']}")
    assert status == 200 and seen == shared
    assert seen["scenario"]["seed"] == 7 and seen["scenario"]["engine_version"]
    assert [block["id"] for block in seen["scenario"]["design"]["blocks"]] == ["a", "b"]


def test_share_cannot_be_changed_or_deleted_over_the_api(client: Client) -> None:
    _, shared = send(client, "post", "/api/shares", {"scenario": SCENARIO})
    for method in ("put", "patch", "delete"):
        assert send(client, method, f"/api/shares/{shared['id']}", {})[0] == 405
    assert Share.objects.get().id == shared["id"]


def test_fork_is_a_draft_of_ones_own_that_names_its_origin(client: Client) -> None:
    _, shared = send(client, "post", "/api/shares", {"scenario": SCENARIO})
    forker = Client()
    status, draft = send(forker, "post", f"/api/shares/{shared['id']}/fork")
    assert status == 201 and draft["forked_from"] == shared["id"] and draft["version"] == 1
    send(forker, "put", f"/api/drafts/{draft['id']}", {"scenario": named("Changed"), "version": 1})
    assert send(client, "get", f"/api/shares/{shared['id']}")[1] == shared
    _, again = send(forker, "post", "/api/shares", {"scenario": named("Changed"), "forked_from": shared["id"]})
    assert again["forked_from"] == shared["id"]


def test_unknown_share_and_draft_are_named(client: Client) -> None:
    for path in ("/api/shares/nosuch", "/api/drafts/nosuch"):
        status, answer = send(client, "get", path)
        assert status == 404 and answer["problems"][0]["value"] == "nosuch"


def test_each_save_builds_on_the_version_before(client: Client) -> None:
    status, draft = send(client, "post", "/api/drafts", {"scenario": SCENARIO, "editor": "tab 1"})
    assert status == 201
    for version in (1, 2, 3):
        body = {"scenario": named(f"Version {version + 1}"), "version": version, "editor": "tab 1"}
        status, draft = send(client, "put", f"/api/drafts/{draft['id']}", body)
        assert status == 200 and draft["version"] == version + 1 and draft["title"] == f"Version {version + 1}"


def test_save_that_comes_too_late_overwrites_nothing_and_loses_nothing(client: Client) -> None:
    _, draft = send(client, "post", "/api/drafts", {"scenario": SCENARIO, "editor": "tab 1"})
    path = f"/api/drafts/{draft['id']}"
    send(client, "put", path, {"scenario": named("Theirs"), "version": 1, "editor": "tab 1"})
    status, conflict = send(client, "put", path, {"scenario": named("Mine"), "version": 1, "editor": "tab 2"})
    assert status == 409
    assert conflict["theirs"]["title"] == "Theirs" and conflict["theirs"]["version"] == 2
    assert conflict["kept"]["title"] == "Mine" and conflict["kept"]["id"] != draft["id"]
    assert "'tab 1' saved version 2 at " in conflict["problems"][0]["message"]
    assert send(client, "get", path)[1] == conflict["theirs"]
    assert send(client, "get", f"/api/drafts/{conflict['kept']['id']}")[1] == conflict["kept"]


def test_drafts_are_listed_for_their_owner_alone_and_the_latest_comes_first(client: Client) -> None:
    for name in ("First", "Second"):
        send(client, "post", "/api/drafts", {"scenario": named(name)})
    listed = send(client, "get", "/api/drafts")[1]
    assert [draft["title"] for draft in listed] == ["Second", "First"]
    stranger = Client()
    assert send(stranger, "get", "/api/drafts")[1] == []
    path = f"/api/drafts/{listed[0]['id']}"
    assert send(stranger, "get", path)[0] == 404
    assert send(stranger, "put", path, {"scenario": SCENARIO, "version": 1})[0] == 404
    assert send(stranger, "delete", path)[0] == 404
    assert send(client, "delete", path)[0] == 204
    assert len(send(client, "get", "/api/drafts")[1]) == 1


def test_sharing_without_end_is_stopped_by_name(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHARES_PER_HOUR_MAX", 2)
    statuses = [send(client, "post", "/api/shares", {"scenario": SCENARIO})[0] for _ in range(3)]
    assert statuses == [201, 201, 429]
    assert send(Client(), "post", "/api/shares", {"scenario": SCENARIO})[0] == 201


def test_change_without_the_csrf_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    status, answer = send(client, "post", "/api/drafts", {"scenario": SCENARIO})
    assert status == 403 and answer["problems"]
    token = client.cookies["csrftoken"].value
    with_token = client.post(
        "/api/drafts",
        json.dumps({"scenario": SCENARIO}),
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert with_token.status_code == 201


def test_tags_in_names_come_back_as_the_text_that_they_are(client: Client) -> None:
    name = "<script>alert(1)</script>"
    _, shared = send(client, "post", "/api/shares", {"scenario": named(name)})
    answer = client.get(f"/api/shares/{shared['id']}")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.content)["title"] == name
    assert "<script>alert" not in client.get(f"/s/{shared['id']}").content.decode()
