"""Where several rules would decide, either there is a cell in which they do, or who is first is certain.

What may meet is computed: over the space of all questions of framings, dialects, numbers of channels and peers of each
kind. What a plan with real QEMUs has is computed, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.oracle.meetings import deciding, meetings
from multifd.oracle.question import Question
from multifd.plan.pairings import question
from multifd.plan.whole import plan
from multifd.plan.work import Pairing
from multifd.profile.load import load
from multifd.wire.dialect import DIALECTS
from tests.oracle.builder import (
    IAA,
    ONE_SHOT,
    PLAIN,
    QAT,
    READS_4K_HEADERS,
    READS_COMPLETE,
    READS_IAA,
    READS_PLAIN,
    READS_STREAMS,
    READS_ZSTD,
    STREAMING,
    ZSTD,
    ask,
    decoder,
)
from tests.qemu.recorded import peer

ENCODERS: Final = (STREAMING, ONE_SHOT, IAA, QAT, ZSTD, PLAIN)
FIRST_MEMBER: Final = decoder(15, streaming=False, members=frozenset())
DECODERS: Final = (
    READS_STREAMS, READS_COMPLETE, READS_IAA, READS_4K_HEADERS, READS_ZSTD, READS_PLAIN, FIRST_MEMBER
)  # fmt: skip
NEVER: Final = {
    ("hidden-flag", "flags"): "the one wants what is left under the mask to be expected, the other that it is not",
    ("stream-ends", "stream-goes-on"): "a stream ends or it goes on",
    ("stream-ends", "receiver-streaming"): "only a reader of streams is surprised by the end of one",
    ("stream-goes-on", "members"): "a stream that goes on has one member",
    ("stream-goes-on", "receiver-streaming"): "they are about readers of another scope",
    ("receiver-streaming", "members"): "a stream that goes on has one member",
}
"""Why these do not meet."""
PAYLOAD: Final = (
    "layout", "container", "window", "stream-ends", "stream-goes-on", "receiver-streaming", "members",
)  # fmt: skip
ORDERED: Final = {
    **dict.fromkeys(
        itertools.combinations(PAYLOAD, 2),
        "one thread reads a payload from its first byte on; that suite wire has cells of most is not counted on here",
    ),
    **{
        ("channels", rule): "both refuse, and the words of either are expected (oracle/qemu.py); no QEMU refuses these"
        for rule in ("window", "receiver-streaming", "members")
    },
    ("channels", "stream-goes-on"): "methods differ wherever this does, so that flags are refused before any payload",
    **{
        (rule, "late"): "what is refused too late is refused alike, whatever it is: flags and channels have cells"
        for rule in PAYLOAD
    },
    **dict.fromkeys((("hidden-flag", "late"), ("zero-pages", "late")), "memory is wrong whenever it is looked at"),
    **{(rule, "zero-pages"): "a payload is refused before the round in which a page becomes zero" for rule in PAYLOAD},
}
"""Why it is certain, or no matter, which is first; pairs with cells of their own may be among them."""


def space() -> Iterator[Question]:
    """Questions that can be tried, of every kind."""
    ends = itertools.product(FRAMINGS, FRAMINGS, ENCODERS, DECODERS)
    for at, (sent, read, by, to) in enumerate(ends):
        if cannot_send(by, framing(sent), 4096) is not None or cannot_read(to, framing(read)) is not None:
            continue
        for spoken, heard in itertools.product(("qemu-10.0", "qemu-5.0"), repeat=2):
            if (
                framing(sent).travels_as not in DIALECTS[spoken].flags
                or framing(read).travels_as not in DIALECTS[heard].flags
            ):
                continue
            channels = ((2, 2), (3, 2), (2, 3))[at % 3]
            yield ask(
                sent, read, by=by, to=to, speaking=spoken, hearing=heard, becomes_zero=True, channels=channels,
                looks_late=bool(at % 2),
            )  # fmt: skip


@pytest.fixture(scope="module")
def possible() -> set[tuple[str, str]]:
    return {pair for asked in space() for pair in meetings(asked)}


@pytest.fixture(scope="module")
def planned() -> dict[tuple[str, str], set[str]]:
    """Pairs of rules that would both decide a cell of the plan, with what is predicted for these cells."""
    profile = load("emulated")
    ours = resolve("emulated", profile, None, device_peers(profile, []))
    lab = peer("10.0", "qpl", "uadk", "qatzip", name="qemu-lab")
    line_up = ours.model_copy(update={"qemus": (peer("7.2"), lab)})
    found: dict[tuple[str, str], set[str]] = {}
    for cell in plan(line_up, {}).cells.values():
        if isinstance(cell.work, Pairing):
            asked = question(cell.work, line_up.named(cell.work.sender), line_up.named(cell.work.receiver))
            for pair in meetings(asked):
                found.setdefault(pair, set()).add(cell.prediction.outcome)
    return found


def test_every_two_rules_that_can_meet_have_a_cell_in_which_they_do_or_a_certain_order(
    possible: set[tuple[str, str]], planned: dict[tuple[str, str], set[str]]
) -> None:
    assert possible - set(planned) - set(ORDERED) == set()


def test_what_can_not_meet_meets_nowhere(
    possible: set[tuple[str, str]], planned: dict[tuple[str, str], set[str]]
) -> None:
    assert {pair for pair in NEVER if pair in possible or pair in planned} == set()


def test_a_hazard_is_not_hidden_by_a_refusal_that_another_thread_may_come_to_later(
    planned: dict[tuple[str, str], set[str]],
) -> None:
    assert planned["hidden-flag", "channels"] == {"hazard"}
    assert planned["channels", "late"] == {"hazard"}


def test_all_rules_that_would_decide_are_found_first_to_last() -> None:
    asked = ask("zlib-page", "zlib", channels=(3, 2), looks_late=True)

    assert deciding(asked) == ("channels", "layout", "stream-ends", "late")
