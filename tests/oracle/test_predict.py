"""Properties of every prediction, whatever is asked."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import FRAMINGS
from multifd.oracle.decision import Decision
from multifd.oracle.predict import predict
from multifd.oracle.qemu import says
from multifd.oracle.question import Question, Side
from multifd.oracle.rules import RULES
from multifd.oracle.words import Cause
from multifd.wire.dialect import DIALECTS, ZeroPages
from multifd.wire.fault import FAULTS
from tests.oracle.builder import READS_PLAIN, READS_STREAMS, READS_ZSTD, STREAMING, ask

TOO_LATE = "; by the time the receiver looks, the sender has sent everything and is done"
NAMES = [rule.name for rule in RULES]

peers = st.text(min_size=1, max_size=12)
containers = st.frozensets(st.sampled_from(Container))
encoders = st.builds(
    EncoderCapability,
    containers,
    st.booleans(),
    st.frozensets(st.integers(9, 24), max_size=4),
    st.booleans(),
) | st.just(STREAMING)
decoders = st.builds(
    DecoderCapability,
    containers,
    st.booleans(),
    st.integers(0, 27),
    st.booleans(),
    st.sampled_from(["all", "first"]),
    st.booleans(),
) | st.just(READS_STREAMS)
sides = st.builds(
    Side, peers, st.sampled_from(list(FRAMINGS.values())), st.sampled_from(list(DIALECTS.values())), st.booleans()
).filter(lambda side: side.framing.travels_as in side.dialect.flags)
questions = st.builds(
    Question,
    sender=sides,
    receiver=sides,
    encoder=encoders,
    decoder=decoders,
    page_size=st.sampled_from([4096, 16384, 65536]),
    zero_pages=st.sampled_from(ZeroPages),
    becomes_zero=st.booleans(),
    fault=st.none() | st.sampled_from(list(FAULTS.values())),
    channels=st.tuples(st.integers(1, 16), st.integers(1, 16)) | st.just((2, 2)),
    goes_on=st.booleans(),
    looks_late=st.booleans(),
    matches=st.booleans(),
).filter(lambda question: question.fault is None or question.page_size == 4096)
"""Of peers that are not ours: what decoders of ours can be asked, tests/oracle/test_words.py asks them."""


def test_what_is_predicted_where_every_rule_holds() -> None:
    prediction = predict(ask("zlib"))

    assert (prediction.outcome, prediction.rule, prediction.error) == ("identical", "all-hold", None)
    assert prediction.reason == (
        "R reads what S emits as zlib (container zlib, one stream per channel, flush sync-packet, window 32768)"
    )


@given(questions)
def test_the_same_question_gets_the_same_answer(question: Question) -> None:
    assert predict(question) == predict(replace(question))


@given(questions)
def test_the_chain_has_every_rule_up_to_the_one_that_decides(question: Question) -> None:
    prediction = predict(question)

    decided = NAMES.index(prediction.rule) + 1 if prediction.rule in NAMES else len(NAMES)
    assert [step.rule for step in prediction.chain] == NAMES[:decided]
    assert all(step.held for step in prediction.chain[:-1])
    assert prediction.chain[-1].held == (prediction.rule == "all-hold")


@given(questions)
def test_a_rule_that_decides_says_why_and_one_that_holds_says_what_it_guards(question: Question) -> None:
    prediction = predict(question)

    guards = {rule.name: rule.holds for rule in RULES}
    for step in prediction.chain:
        assert step.because == (guards[step.rule] if step.held else prediction.reason.partition(TOO_LATE)[0])


@given(questions)
def test_memory_is_identical_only_if_all_rules_hold(question: Question) -> None:
    prediction = predict(question)

    assert (prediction.outcome == "identical") == (prediction.rule == "all-hold")
    assert (prediction.outcome == "identical") == all(step.held for step in prediction.chain)


@given(questions)
def test_a_rejection_of_a_packet_and_nothing_else_expects_an_error_of_everybody(question: Question) -> None:
    prediction = predict(question)

    known = question.receiver.qemu or prediction.rule in ("fault", "channels", "flags")
    assert (prediction.error is not None) == (prediction.outcome == "rejected" and known)
    re.compile(prediction.error or "")


@given(st.lists(questions, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_questions_does_not_matter(asked: list[Question], dice: random.Random) -> None:
    order = dice.sample(range(len(asked)), len(asked))

    answers = {at: predict(asked[at]) for at in order}

    assert [answers[at] for at in range(len(asked))] == [predict(question) for question in asked]


@given(questions, peers, peers)
def test_the_names_of_peers_do_not_matter(question: Question, one: str, other: str) -> None:
    renamed = replace(
        question, sender=replace(question.sender, peer=one), receiver=replace(question.receiver, peer=other)
    )

    assert (predict(renamed).outcome, predict(renamed).rule) == (predict(question).outcome, predict(question).rule)


# What becomes of a refusal


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        (ask("zlib", "zstd", to=READS_ZSTD, looks_late=True), "flags"),
        (ask("zlib-packet", "zlib", looks_late=True), "stream-ends"),
        (ask("zlib", channels=(2, 3), looks_late=True), "channels"),
    ],
)
def test_a_refusal_that_comes_too_late_costs_the_guest(question: Question, rule: str) -> None:
    prediction = predict(question)

    soon = predict(replace(question, looks_late=False))
    assert (soon.outcome, soon.rule) == ("rejected", rule)
    assert (prediction.outcome, prediction.rule, prediction.error) == ("hazard", rule, None)
    assert prediction.reason == soon.reason + TOO_LATE


def test_of_a_channel_too_many_that_is_looked_at_late_the_content_is_lost_unless_it_is_refused_sooner() -> None:
    late = ask("zlib", channels=(3, 2), looks_late=True)
    soon = predict(replace(late, looks_late=False))

    prediction = predict(late)

    assert (prediction.outcome, prediction.error, prediction.sooner) == ("hazard", None, soon.error)
    assert prediction.reason.startswith(soon.reason + TOO_LATE)
    assert prediction.reason.endswith("lost then without a word, unless the refusal is met sooner")


def test_of_a_channel_too_many_the_sender_may_hear_first_and_break_off_on_the_main_channel() -> None:
    # 7.2.22 to 10.0.13, once in a few runs: the source had "Broken pipe" on the channel that was dropped
    said = (
        "destination exit status 1: Getting RAM address failed; error while loading state section id 2(ram);"
        " load of migration failed: Input/output error; source failed: Unable to write to socket: Broken pipe"
    )

    prediction = predict(ask("zlib", channels=(3, 2), looks_late=True, to_qemu=True))

    assert re.search(prediction.sooner or "nothing", said)


HIDDEN = ask("qatzip", "none", to=READS_PLAIN, speaking="qemu-9.2", hearing="qemu-5.0")


@pytest.mark.parametrize("channels", [(3, 2), (2, 3), (2, 2)])
def test_garbage_is_written_before_anybody_counts_channels(channels: tuple[int, int]) -> None:
    prediction = predict(replace(HIDDEN, channels=channels))

    assert (prediction.outcome, prediction.rule) == ("hazard", "hidden-flag")
    assert (prediction.sooner is not None) == (channels == (3, 2))


@pytest.mark.parametrize(
    "question", [ask("zlib"), ask("qatzip", "none", to=READS_PLAIN, speaking="qemu-9.2", hearing="qemu-5.0")]
)
def test_only_a_refusal_can_come_too_late(question: Question) -> None:
    assert predict(replace(question, looks_late=True)) == predict(question)


def test_a_real_qemu_puts_its_refusal_in_its_own_words() -> None:
    asked = ask("zlib-packet", "zlib", to_qemu=True)

    prediction = predict(asked)

    ours = predict(ask("zlib-packet", "zlib"))
    assert ours.error is not None
    assert prediction == replace(ours, error=says(asked, "stream-ends", Decision("rejected", "", cause=Cause.ENDS)))
    assert prediction != ours


def test_of_a_peer_that_is_not_ours_no_words_are_expected() -> None:
    prediction = predict(ask("zlib-packet", "zlib", to_codec=None))

    assert (prediction.outcome, prediction.rule, prediction.error) == ("rejected", "stream-ends", None)
