"""The story of one sampled request, as spans."""

from __future__ import annotations

from playground.engine.limits import SPANS_KEPT
from playground.engine.outcomes import OPERATIONS, OUTCOMES
from playground.engine.simulation import Simulation
from playground.engine.tracing import SPAN_FIELDS
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
            )
        )
    return sorted(found, key=lambda span: (span.sent, span.ended))
