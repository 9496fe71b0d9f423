"""From a question to a prediction: the first rule that decides, and the chain of those that held before it."""

from __future__ import annotations

from collections.abc import Sequence

from multifd.oracle.question import Prediction, Question, Step
from multifd.oracle.rules import RULES, Rule


def predict(question: Question, rules: Sequence[Rule] = RULES) -> Prediction:
    """Predict what the pairing does. Pure: the same question always gets the same answer."""
    chain: list[Step] = []
    for rule in rules:
        decision = rule.decide(question)
        if decision is not None:
            chain.append(Step(rule.name, False, decision.because))
            return Prediction(decision.outcome, rule.name, decision.because, decision.error, tuple(chain))
        chain.append(Step(rule.name, True, rule.holds))
    reason = (
        f"{question.receiver.peer} reads what {question.sender.peer} emits as {question.sender.framing.name}"
        f" ({question.sender.framing.shape()})"
    )
    return Prediction("identical", "all-hold", reason, None, tuple(chain))
