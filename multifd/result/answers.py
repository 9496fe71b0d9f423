"""The thread's questions, answered by a run: pure data from its cells, used by the run, the reports and the command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from multifd.result.claims import Seen, judged, priced, tried
from multifd.result.exchange import HALVES, shown, table
from multifd.result.questions import Thread, shipped
from multifd.result.record import Answer, Cell, Evidence, Results

TABLE: Final = "exchange"
"""Id of the answer that the table is."""


def answered(held: Seen, thread: Thread | None = None) -> tuple[Answer, ...]:
    """Every question with its answer and what these cells say of it; the table comes first."""
    thread = thread or shipped()
    rows = [shown(half, row) for half in HALVES for row in table(thread, half, held)]
    head = Answer(id=TABLE, question=thread.question, answer=thread.answer, evidence=tuple(rows))
    return (
        head,
        *(
            Answer(
                id=question.id,
                question=question.question,
                answer=question.answer,
                evidence=(
                    *(judged(claim, held) for claim in question.claims),
                    *(tried(claim, held) for claim in question.unable),
                    *(priced(price, held) for price in question.prices),
                ),
            )
            for question in thread.questions
        ),
    )


def contradicted(cells: Sequence[Cell]) -> tuple[tuple[str, Evidence], ...]:
    """Claims that cells contradict, each with the id of its question: then the run is not conforming."""
    return contradicting(answered(Seen(cells)))


def contradicting(answers: Sequence[Answer]) -> tuple[tuple[str, Evidence], ...]:
    """The same of answers that are known."""
    return tuple((answer.id, each) for answer in answers for each in answer.evidence if each.state == "contradicted")


def seen(results: Results) -> Seen:
    """What a run's results have for claims."""
    return Seen(results.cells, results.peers, results.unable)
