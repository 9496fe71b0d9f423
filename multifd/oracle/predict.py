"""From a question to a prediction: the first rule that decides, and the chain of those that held before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from multifd.oracle.decision import Decision
from multifd.oracle.fault import follows
from multifd.oracle.qemu import says
from multifd.oracle.question import Prediction, Question, Step
from multifd.oracle.rules import RULES, Rule
from multifd.oracle.words import expected

_TOO_LATE: Final = "by the time the receiver looks, the sender has sent everything and is done"
_LOST: Final = "what came on a channel too many is lost then without a word, unless the refusal is met sooner"


def predict(question: Question, rules: Sequence[Rule] = RULES) -> Prediction:
    """Predict what the pairing does. Pure: the same question always gets the same answer."""
    chain: list[Step] = []
    for rule in rules:
        decision = rule.decide(question)
        if decision is not None:
            chain.append(Step(rule.name, False, decision.because))
            if decision.outcome == "rejected" and question.looks_late:
                decision = replace(decision, outcome="hazard", because=f"{decision.because}; {_late(question)}")
            error = _said(question, rule.name, decision) if decision.outcome == "rejected" else None
            sooner = _sooner(question) if decision.outcome == "hazard" else None
            return Prediction(
                decision.outcome, rule.name, decision.because, error, tuple(chain), decision.setting, sooner
            )
        chain.append(rule.held)
    reason = (
        f"{question.receiver.peer} reads what {question.sender.peer} emits as {question.sender.framing.name}"
        f" ({question.sender.framing.shape()})"
    )
    if question.fault is not None:
        reason = f"{follows(question).because}: {reason}"
    return Prediction("identical", "all-hold", reason, None, tuple(chain))


def _late(question: Question) -> str:
    return f"{_TOO_LATE}: {_LOST}" if _too_many(question) else _TOO_LATE


def _too_many(question: Question) -> bool:
    return question.channels[0] > question.channels[1]


def _sooner(question: Question) -> str | None:
    """What a receiver says that has counted too many channels before it did any harm."""
    if not _too_many(question):
        return None
    counting = next(rule for rule in RULES if rule.name == "channels")
    decision = counting.decide(question)
    return _said(question, counting.name, decision) if decision is not None else None


def _said(question: Question, rule: str, decision: Decision) -> str | None:
    """How the receiver puts it."""
    if question.receiver.qemu:
        return says(question, rule, decision)
    return decision.error if decision.cause is None else expected(decision.cause, question)
