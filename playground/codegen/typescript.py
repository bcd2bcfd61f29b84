"""A compact emitter: the JSON schema that pydantic derives from our models, as TypeScript interfaces.

Only what our models use is understood; anything else raises, so that a new shape can't be emitted wrongly in silence.
"""

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]


def interface(name: str, schema: Schema, required_always: bool) -> str:
    """``schema`` (an object's) as an exported interface or alias called ``name``.

    With ``required_always`` every field is there, as in what the server sends; otherwise those with a default may be left out. The
    field ``type`` is there in both, since it tells messages apart.
    """
    lines = _comment(schema.get("description", ""), "")
    if schema.get("type") != "object" or "properties" not in schema:
        return "\n".join([*lines, f"export type {name} = {type_of(schema)};"])
    needed = set(schema.get("required", ()))
    lines.append(f"export interface {name} {{")
    for field, inner in schema["properties"].items():
        optional = "" if required_always or field in needed or field == "type" else "?"
        lines.append(f"  {_key(field)}{optional}: {type_of(inner)};")
    return "\n".join([*lines, "}"])


def type_of(schema: Schema) -> str:
    """``schema`` as a TypeScript type expression; raises ``ValueError`` for a schema that the emitter doesn't know."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(type_of(choice) for choice in schema[union]))
    if "type" not in schema:
        return "unknown"
    return _plain(schema)


def _plain(schema: Schema) -> str:
    kind = schema["type"]
    if kind == "string":
        return "Uint8Array" if schema.get("format") == "binary" else "string"
    if kind in ("integer", "number"):
        return "number"
    if kind in ("boolean", "null"):
        return str(kind)
    if kind == "array":
        element = type_of(schema["items"])
        return f"({element})[]" if " " in element else f"{element}[]"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"Record<string, {type_of(values) if isinstance(values, dict) else 'unknown'}>"
    raise ValueError(f"no TypeScript for the schema {schema!r}")


def constant(name: str, value: object, note: str = "") -> str:
    """``value`` (plain JSON) as an exported constant."""
    return "\n".join([*_comment(note, ""), f"export const {name} = {json.dumps(value, ensure_ascii=False)};"])


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _comment(text: str, indent: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("*/", "* /").strip().splitlines()]
    if not lines:
        return []
    if len(lines) == 1:
        return [f"{indent}/** {lines[0]} */"]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]
