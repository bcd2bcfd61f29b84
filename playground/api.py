"""The REST API below ``/api``: one strict parser, one shape of refusal, the routes of every app. OpenAPI at ``/api/openapi.json``."""

from __future__ import annotations

import time
from functools import cache, lru_cache
from typing import Any

import ninja.errors
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.parser import Parser
from ninja.security import APIKeyCookie

from playground import native
from playground.designs.api import router as designs
from playground.lab_api import router as lab
from playground.owners import ensure_owner
from playground.protocol import rest
from playground.protocol.catalogue import Catalogue
from playground.protocol.errors import InputError, Problem, shown
from playground.protocol.strict_json import DOCUMENT_BYTES_MAX, loads
from playground.refusals import Conflicting, NotThere, NotYours, TooMany
from playground.runs.api import router as runs
from playground.scenarios import template
from playground.templates_store import templates

PROBLEMS_MAX = 50


class StrictParser(Parser):
    """Reads bodies with ``protocol.strict_json``: no NaN, no duplicate keys, no bombs."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's JSON; raises :class:`InputError`, which ninja wraps and :func:`refuse_http_error` unwraps."""
        data = loads(request.body, what="body")
        if not isinstance(data, dict):
            raise InputError.single(
                "dict_type", f"the body is {shown(data)}", value=shown(data), accepted="a JSON object"
            )
        return data


class Owner(APIKeyCookie):
    """The browser's session cookie; whoever has none gets one, and what changes something needs the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> str:
        """The owner's name."""
        return ensure_owner(request.session)


api = NinjaAPI(
    title="System design playground",
    version="1",
    parser=StrictParser(),
    auth=Owner(),
    docs_url=None,
    urls_namespace="api",
)
library = Router(tags=["library"])


@library.get("/catalogue", response=Catalogue)
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every kind of block that can be drawn: parameters, ports, metrics, faults."""
    return HttpResponse(_catalogue_json(), content_type="application/json")


@library.get("/templates", response=list[rest.TemplateSummary])
def template_list(request: HttpRequest) -> list[rest.TemplateSummary]:
    """The gallery."""
    return [
        rest.TemplateSummary(name=found.name, title=found.title, summary=found.summary)
        for found in templates().values()
    ]


@library.get("/templates/{name}", response=rest.TemplateFull, by_alias=True)
def template_full(request: HttpRequest, name: str) -> rest.TemplateFull:
    """One template with its scenario."""
    return template(name)


@library.get("/engine", response=rest.EngineStatus)
def engine(request: HttpRequest) -> rest.EngineStatus:
    """Which engine new runs get, and how far its build is."""
    return _engine_status(int(time.monotonic()))


@lru_cache(maxsize=1)
def _engine_status(second: int) -> rest.EngineStatus:
    """The status as of ``second``: the look at every source is worth some milliseconds, and many pages ask."""
    status = native.status()
    return rest.EngineStatus(
        mode=status["mode"], building=status["building"], progress=status["progress"], error=status["error"]
    )


@cache
def _catalogue_json() -> str:
    from playground import catalogue as blocks

    return blocks.catalogue().model_dump_json()


STATUS: tuple[tuple[type[InputError], int], ...] = ((NotThere, 404), (NotYours, 403), (TooMany, 429))


@api.exception_handler(InputError)
def refuse(request: HttpRequest, error: InputError) -> HttpResponse:
    """All bad input has one shape, and 422 unless it is something more special."""
    if isinstance(error, Conflicting):
        return api.create_response(request, error.content, status=409)
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 422)
    problems = [problem.model_dump() for problem in error.problems[:PROBLEMS_MAX]]
    return api.create_response(request, {"problems": problems}, status=status)


@api.exception_handler(ninja.errors.HttpError)
def refuse_http_error(request: HttpRequest, error: ninja.errors.HttpError) -> HttpResponse:
    """What ninja itself refuses, in our shape; a body that the strict parser refused says why."""
    if isinstance(error.__cause__, InputError):
        return refuse(request, error.__cause__)
    problem = Problem(code="refused", message=error.message)
    return api.create_response(request, {"problems": [problem.model_dump()]}, status=error.status_code)


@api.exception_handler(RequestDataTooBig)
def refuse_size(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body over the limit, which Django refuses before anybody reads it."""
    size = int(request.headers.get("Content-Length") or 0)
    problem = Problem(
        code="too_large",
        message=f"the body has {size:,} bytes; at most {DOCUMENT_BYTES_MAX:,} are accepted",
        value=f"{size} bytes",
        accepted=f"at most {DOCUMENT_BYTES_MAX} bytes",
    )
    return refuse(request, InputError([problem]))


@api.exception_handler(ninja.errors.ValidationError)
def refuse_shape(request: HttpRequest, error: ninja.errors.ValidationError) -> HttpResponse:
    """A body of the wrong shape: each field by its path."""
    problems = []
    for entry in error.errors:
        # ninja's location begins with "body" and the name of the view's argument.
        where = ".".join(str(step) for step in entry["loc"][2:]) or "body"
        given = None if entry["type"] == "missing" else shown(entry.get("input"))
        reason = "unknown field" if entry["type"] == "extra_forbidden" else entry["msg"]
        problems.append(Problem(code=entry["type"], message=f"{where}: {reason}", where=where, value=given))
    return refuse(request, InputError(problems))


api.add_router("", library)
api.add_router("", designs)
api.add_router("", runs)
api.add_router("", lab)
