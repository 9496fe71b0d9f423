"""What the thread asked: the table that heads the answers, and each answer with what this run says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from multifd.result import exchange
from multifd.result.answers import answered, seen
from multifd.result.exchange import FAMILIES, HALVES, Row
from multifd.result.questions import shipped
from multifd.result.record import STATE_ORDER, Answer, Results, State
from reports import templating, vocabulary


@dataclass(frozen=True)
class Sheet:
    """One half of the table."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Thread:
    """All that is shown of it."""

    sheets: tuple[Sheet, ...]
    head: Answer
    """What the table says; its evidence is the table's rows."""
    answers: tuple[Answer, ...]

    @property
    def all(self) -> tuple[Answer, ...]:
        """As :func:`multifd.result.answers.answered` has them."""
        return self.head, *self.answers

    @property
    def amiss(self) -> tuple[str, ...]:
        """Rows of the table that this run contradicts, and why."""
        return tuple(f"{each.shows}: {each.because}" for each in self.head.evidence if each.state == "contradicted")


def thread(results: Results) -> Thread:
    """As a run has it."""
    held = seen(results)
    head, *answers = answered(held)
    sheets = (Sheet(vocabulary.HALVES[half], exchange.table(shipped(), half, held)) for half in HALVES)
    return Thread(tuple(sheets), head, tuple(answers))


def states(answer: Answer) -> tuple[tuple[State, int], ...]:
    """How many of its claims are in which state, worst first, without those that none is in."""
    found = Counter(each.state for each in answer.evidence)
    return tuple((state, found[state]) for state in STATE_ORDER if found[state])


def page() -> str:
    """``docs/questions.md``: the answers, whoever took part; every run holds them against its cells."""
    sheets = [Sheet(vocabulary.HALVES[half], exchange.expected(shipped(), half)) for half in HALVES]
    return _ENVIRONMENT.get_template("questions.md.j2").render(thread=shipped(), sheets=sheets)


def lines(shown: Thread) -> Iterator[str]:
    """As a terminal shows it."""
    yield from (shown.head.question, f"  {shown.head.answer}", "")
    yield "Senders in groups, receivers inside them: " + ", ".join(
        f"{term.symbol} {term.word}" for term in vocabulary.MARKS.values()
    )
    for sheet in shown.sheets:
        width = max(len(row.title) for row in sheet.rows)
        yield from ("", f"{sheet.title[0].upper()}{sheet.title[1:]}")
        yield f"{'':{width}}  {'   '.join(f'{name:14}' for name in FAMILIES)}"
        yield f"{'':{width}}  {'   '.join([' '.join(f'{name:4}' for name in FAMILIES)] * 3)}  identical"
        for row in sheet.rows:
            marks = [f"{vocabulary.MARKS[place.mark].symbol:4}" for place in row.places]
            groups = "   ".join(" ".join(marks[start : start + 3]) for start in (0, 3, 6))
            read = f"  through {row.peers}" if row.line.variant else ""
            yield f"{row.title:{width}}  {groups}  {row.identical} of 9{read}"
    yield from (f"✗ {line}" for line in shown.amiss)
    for answer in shown.answers:
        yield from ("", f"{answer.id}: {answer.question}", f"  {answer.answer}")
        for each in answer.evidence:
            term = vocabulary.STATES[each.state]
            ran = f" ({each.count}: {', '.join(each.provenance)})" if each.count else ""
            yield f"  {term.symbol} {term.word}: {each.shows}{ran}"
            yield from (f"      {line}" for line in (each.because, " ".join(each.cells), each.reproduce) if line)


def machine(shown: Thread) -> dict[str, Any]:
    """As a program reads it."""
    return {
        "table": {
            half: [
                {
                    "framing": row.line.framing,
                    "places": [
                        {"sender": place.sender, "receiver": place.receiver, "ends": exchange.WORDS[place.mark]}
                        for place in row.places
                    ],
                }
                for row in sheet.rows
            ]
            for half, sheet in zip(HALVES, shown.sheets, strict=True)
        },
        "answers": [answer.model_dump(mode="json") for answer in shown.all],
    }


_ENVIRONMENT: Final = templating.for_markdown(names={"MARKS": vocabulary.MARKS, "FAMILIES": FAMILIES})
