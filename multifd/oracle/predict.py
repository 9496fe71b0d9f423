"""From a question to a prediction: the first rule that decides, and the chain of those that held before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from multifd.oracle.decision import Decision
from multifd.oracle.fault import follows
from multifd.oracle.qemu import says
from multifd.oracle.question import Prediction, Question, Step
from multifd.oracle.rules import RULES, Rule
from multifd.oracle.words import expected

_TOO_LATE: Final = "by the time the receiver looks, the sender has sent everything and is done"


def predict(question: Question, rules: Sequence[Rule] = RULES) -> Prediction:
    """Predict what the pairing does. Pure: the same question always gets the same answer."""
    chain: list[Step] = []
    for rule in rules:
        decision = rule.decide(question)
        if decision is not None:
            chain.append(Step(rule.name, False, decision.because))
            if decision.outcome == "rejected" and question.looks_late:
                because = f"{decision.because}; {_TOO_LATE}"
                return Prediction("hazard", rule.name, because, None, tuple(chain), decision.setting)
            error = _said(question, rule.name, decision)
            return Prediction(decision.outcome, rule.name, decision.because, error, tuple(chain), decision.setting)
        chain.append(Step(rule.name, True, rule.holds))
    reason = (
        f"{question.receiver.peer} reads what {question.sender.peer} emits as {question.sender.framing.name}"
        f" ({question.sender.framing.shape()})"
    )
    if question.fault is not None:
        reason = f"{follows(question).because}: {reason}"
    return Prediction("identical", "all-hold", reason, None, tuple(chain))


def _said(question: Question, rule: str, decision: Decision) -> str | None:
    """How the receiver puts it."""
    if decision.outcome != "rejected":
        return None
    if question.receiver.qemu:
        return says(question, rule, decision)
    return decision.error if decision.cause is None else expected(decision.cause, question)
