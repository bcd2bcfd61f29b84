"""The story of one sampled request, as spans."""

from __future__ import annotations

from playground.engine.limits import REMARKS_KEPT, SPANS_KEPT
from playground.engine.outcomes import OPERATIONS, OUTCOMES
from playground.engine.simulation import Simulation
from playground.engine.tracing import REMARK_FIELDS, SPAN_FIELDS
from playground.protocol.messages import Span


def spans_of(simulation: Simulation, trace: int) -> list[Span]:
    """All kept spans of request number ``trace``, in order of their sending; none when it was not sampled, or too long ago."""
    tracer = simulation.tracer
    seen = int(tracer.spans_seen)
    found = []
    for number in range(max(0, seen - SPANS_KEPT), seen):
        at = number % SPANS_KEPT * SPAN_FIELDS
        if int(tracer.spans[at]) != trace or trace == 0:
            continue
        fields = [int(tracer.spans[at + index]) for index in range(SPAN_FIELDS)]
        _, call, parent, edge_index, operation, key, attempt, sent, arrived, started, replied, ended, outcome = fields
        edge = simulation.edges[edge_index]
        found.append(
            Span(
                call=call,
                parent=parent,
                edge=edge.name,
                caller=edge.caller.name,
                callee=edge.callee.name,
                operation=OPERATIONS[operation],
                key=key,
                attempt=attempt,
                sent=sent,
                arrived=arrived,
                started=started,
                replied=replied,
                ended=ended,
                outcome=OUTCOMES[outcome],
                remark=remark_on(simulation, call),
            )
        )
    return sorted(found, key=lambda span: (span.sent, span.ended))


def remark_on(simulation: Simulation, call: int) -> str:
    """What a block had to say about a call, by its serial number; empty where none had anything, or too long ago."""
    tracer = simulation.tracer
    seen = int(tracer.remarks_seen)
    for number in range(max(0, seen - REMARKS_KEPT), seen):
        at = number % REMARKS_KEPT * REMARK_FIELDS
        if int(tracer.remarks[at]) == call:
            return simulation.blocks[int(tracer.remarks[at + 1])].remarked(int(tracer.remarks[at + 2]))
    return ""
