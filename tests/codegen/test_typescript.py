"""The generated types say what the wire is: everything that the server sends is there, what a viewer sends may leave defaults out."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pytest
from django.core.management import CommandError, call_command

from playground.codegen import typescript
from playground.codegen.generate import generated, protocol_text
from playground.protocol import messages


def test_every_message_of_the_wire_has_a_type() -> None:
    text = protocol_text()
    for union in (messages.ViewerMessage, messages.ServerMessage):
        for message in get_args(get_args(union)[0]):
            assert f"export interface {message.__name__} {{" in text


def test_same_sources_give_the_same_text() -> None:
    assert protocol_text() == protocol_text()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"const": "play"}, '"play"'),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}, "number | null"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "(string | null)[]"),
        ({"type": "object", "additionalProperties": {"$ref": "#/$defs/Span"}}, "Record<string, Span>"),
        ({"type": "string", "format": "binary"}, "Uint8Array"),
        ({}, "unknown"),
    ],
)
def test_schema_becomes_the_type_that_it_describes(schema: dict[str, Any], expected: str) -> None:
    assert typescript.type_of(schema) == expected


def test_field_with_a_default_may_be_left_out_only_by_those_who_send_to_us() -> None:
    schema = {"type": "object", "properties": {"type": {"const": "x"}, "ref": {"type": "string"}}, "required": []}
    assert "ref?: string;" in typescript.interface("X", schema, required_always=False)
    assert "ref: string;" in typescript.interface("X", schema, required_always=True)
    assert 'type: "x";' in typescript.interface("X", schema, required_always=False)


def test_schema_that_the_emitter_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="no TypeScript"):
        typescript.type_of({"type": "tuple"})


def test_check_fails_and_names_the_stale_file_alone(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    call_command("codegen", stdout=StringIO())
    call_command("codegen", "--check", stdout=StringIO())
    stale = next(path for path in generated(tmp_path) if path.name == "protocol.ts")
    stale.write_text("// edited by hand\n", encoding="utf-8")
    with pytest.raises(CommandError) as failed:
        call_command("codegen", "--check", stdout=StringIO())
    assert "protocol.ts" in str(failed.value) and "catalogue.ts" not in str(failed.value)
    assert stale.read_text(encoding="utf-8") == "// edited by hand\n"
