"""Saved designs: shares that never change, and drafts that one browser works on."""

from __future__ import annotations

import secrets
import string

from django.db import models

ALPHABET = string.ascii_letters + string.digits
ID_CHARACTERS = 10


def new_id() -> str:
    """A short id for a link: 60 random bits in letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_CHARACTERS))


class Share(models.Model):
    """A scenario behind a link. It is written once; ``forked_from`` is the share that it grew out of."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    title = models.CharField(max_length=200)
    scenario = models.JSONField()
    owner = models.CharField(max_length=64, db_index=True)
    forked_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.title} ({self.id})"


class Draft(models.Model):
    """A scenario that one browser works on, saved at every pause of its typing.

    ``version`` counts saves: one that builds on an older version than the present doesn't overwrite it (compare and set). ``editor``
    names the tab that saved last.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    owner = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    scenario = models.JSONField()
    editor = models.CharField(max_length=64, blank=True)
    forked_from = models.ForeignKey(Share, null=True, blank=True, on_delete=models.SET_NULL, related_name="drafts")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "-updated_at"])]

    def __str__(self) -> str:
        return f"{self.title}, version {self.version} ({self.id})"
