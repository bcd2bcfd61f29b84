"""The pipe between web process and worker: messages come out as they went in, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.workers import framing
from playground.workers.limits import PIPE_MESSAGE_BYTES_MAX

messages = st.lists(st.dictionaries(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1) | st.binary() | st.text()))


@given(messages, st.integers(1, 40))
def test_messages_survive_any_cut_of_the_stream(sent: list[dict[str, object]], chunk: int) -> None:
    stream = b"".join(framing.pack(message) for message in sent)
    unframer = framing.Unframer()
    received = []
    for start in range(0, len(stream), chunk):
        received += unframer.feed(stream[start : start + chunk])
    assert received == sent


def test_announced_size_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="go through the pipe"):
        list(framing.Unframer().feed((PIPE_MESSAGE_BYTES_MAX + 1).to_bytes(4, "big")))
