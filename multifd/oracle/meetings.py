"""Where several rules would decide one question.

The first in the table decides. That is right where the others come to the same, or cannot come first: for each pair of
rules that meet, tests/oracle/test_meetings.py wants a cell in which they do, or the reason why their order is certain.
"""

from __future__ import annotations

import itertools

from multifd.oracle.question import Question
from multifd.oracle.rules import BEFORE, RULES


def deciding(question: Question) -> tuple[str, ...]:
    """The names of all rules that would decide it, first to last; the refusal that comes too late is ``late``.

    Where something is refused before anything is sent nothing else has its turn.
    """
    for rule in RULES:
        if rule.name in BEFORE and rule.decide(question) is not None:
            return (rule.name,)
    found = [(rule.name, decision) for rule in RULES if (decision := rule.decide(question)) is not None]
    late = question.looks_late and any(decision.outcome == "rejected" for _, decision in found)
    return (*(name for name, _ in found), *(("late",) if late else ()))


def meetings(question: Question) -> frozenset[tuple[str, str]]:
    """Each two of them."""
    return frozenset(itertools.combinations(deciding(question), 2))
