"""What may be the name of a table or column."""

from __future__ import annotations

from playground.isolation.syntax import Token
from playground.isolation.tokens import syntax_error

NAME_MAX = 63
"""Longer names PostgreSQL cuts off."""
WORDS = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike
in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
offset on only or order outer overlaps placing primary references returning right select session_user similar some symmetric table
tablesample then to trailing true union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(WORDS.split())
"""What PostgreSQL 15 takes for the name of no table or column (pg_get_keywords(), categories R and T)."""
SYSTEM_COLUMNS = frozenset(("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"))
"""Columns that every table of PostgreSQL has."""


def check_name(token: Token, what: str) -> None:
    """Raises InputError for a word that is no name, where there should be ``what``."""
    word = token.text.lower()
    if word in RESERVED:
        raise syntax_error(token, f"{what} (this is a reserved word of SQL)")
    if word in SYSTEM_COLUMNS:
        raise syntax_error(token, f"{what} (this is a system column of PostgreSQL)")
    if len(word) > NAME_MAX:
        raise syntax_error(token, f"{what}, of at most {NAME_MAX} letters")
