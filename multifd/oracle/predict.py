"""From a question to a prediction: the first rule that decides, and the chain of those that held before it."""

from __future__ import annotations

from collections.abc import Sequence

from multifd.oracle.decision import Decision
from multifd.oracle.fault import follows
from multifd.oracle.qemu import says
from multifd.oracle.question import Prediction, Question, Step
from multifd.oracle.rules import RULES, Rule


def predict(question: Question, rules: Sequence[Rule] = RULES) -> Prediction:
    """Predict what the pairing does. Pure: the same question always gets the same answer."""
    chain: list[Step] = []
    for rule in rules:
        decision = rule.decide(question)
        if decision is not None:
            chain.append(Step(rule.name, False, decision.because))
            decision = _in_context(question, rule, decision)
            return Prediction(decision.outcome, rule.name, decision.because, decision.error, tuple(chain))
        chain.append(Step(rule.name, True, rule.holds))
    reason = (
        f"{question.receiver.peer} reads what {question.sender.peer} emits as {question.sender.framing.name}"
        f" ({question.sender.framing.shape()})"
    )
    if question.fault is not None:
        reason = f"{follows(question).because}: {reason}"
    return Prediction("identical", "all-hold", reason, None, tuple(chain))


def _in_context(question: Question, rule: Rule, decision: Decision) -> Decision:
    """What becomes of a refusal that comes too late, and how a real QEMU puts it."""
    if decision.outcome != "rejected":
        return decision
    if question.looks_late:
        because = f"{decision.because}; by the time the receiver looks, the sender has sent everything and is done"
        return Decision("hazard", because)
    if question.receiver.qemu:
        error = says(question.receiver, rule.name, decision.error, question.fault)
        return Decision("rejected", decision.because, error)
    return decision
