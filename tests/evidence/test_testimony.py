"""What peers of ours say, as an observation: a failure by its kind, and memory that contradicts what is said."""

from __future__ import annotations

from typing import Final, Literal, get_args

import pytest

from multifd.errors import PeerError
from multifd.evidence.observe import Memory
from multifd.evidence.testimony import broke, claimed, done, failed, held_to_provenance, refused, sender_failed
from multifd.lineup.peers import LineUpPeer
from multifd.oracle.verdict import Observation, Observed
from multifd.peer import contract
from multifd.result.record import Provenance

Kind = Literal["unsupported", "wire", "payload", "environment", "closed", "deadline", "internal"]

RIGHT: Final = Memory(True, 0, 0, "")
OLD: Final = Memory(False, 0, 5, "first at page 300 of m")
GARBAGE: Final = Memory(False, 7, 2, "first at page 0 of m")
HOLDS_OLD: Final = "0 pages hold what was never sent, 5 hold something old, first at page 300 of m"
HOLDS_GARBAGE: Final = "7 pages hold what was never sent, 2 hold something old, first at page 0 of m"

OUTCOMES: Final[dict[Kind, Observed]] = {
    "unsupported": "rejected",
    "wire": "rejected",
    "payload": "rejected",
    "closed": "rejected",
    "deadline": "hang",
    "environment": "broken",
    "internal": "crash",
}
IDENTICAL: Final = Observation("identical")
HAZARD: Final = Observation("hazard", None, "pages stay old")
REJECTED: Final = Observation("rejected", "size is 5", "peer r: size is 5")


def failure(kind: Kind, error: str = "it is so") -> contract.Failed:
    return contract.Failed(id=1, error=error, kind=kind)


def ran_as(provenance: Provenance) -> contract.Done:
    return contract.Done(id=1, provenance=provenance)


def peer(provenance: Provenance) -> LineUpPeer:
    return LineUpPeer(
        name="p", command=("p",), environment={}, external=True, roles=("sender",), codec="p", device=None,
        provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


# A peer that fails


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_failure_in_good_order_counts_by_its_kind(kind: Kind) -> None:
    assert failed(failure(kind), "zlib") == Observation(OUTCOMES[kind], "it is so", "peer zlib: it is so")


def test_every_kind_of_failure_of_the_contract_counts_as_something() -> None:
    assert set(OUTCOMES) == set(get_args(contract.Failed.model_fields["kind"].annotation))


@pytest.mark.parametrize(
    ("kind", "outcome"), [("hang", "hang"), ("crash", "crash"), ("corrupt", "crash"), ("accepted", "crash")]
)
def test_a_broken_contract_is_a_crash_unless_nothing_moves_any_more(
    kind: Literal["hang", "crash", "corrupt", "accepted"], outcome: Observed
) -> None:
    assert broke(PeerError(kind, "peer zlib did so")) == Observation(outcome, "peer zlib did so", "peer zlib did so")


# What a receiver leaves


def test_a_receiver_that_says_done_and_left_what_was_sent_is_identical() -> None:
    assert done("zlib", RIGHT) == Observation("identical")


@pytest.mark.parametrize(("left", "words"), [(OLD, HOLDS_OLD), (GARBAGE, HOLDS_GARBAGE)])
def test_a_receiver_that_says_done_and_left_something_else_is_a_hazard(left: Memory, words: str) -> None:
    assert done("zlib", left) == Observation("hazard", None, f"receiver zlib says done, {words}")


@pytest.mark.parametrize("left", [RIGHT, OLD])
def test_a_receiver_that_refuses_and_wrote_no_garbage_is_taken_at_its_word(left: Memory) -> None:
    assert refused(failure("payload"), "zlib", left) == failed(failure("payload"), "zlib")


def test_pages_that_nobody_sent_are_worse_than_the_error_that_follows() -> None:
    assert refused(failure("payload"), "zlib", GARBAGE) == Observation(
        "hazard", "it is so", f"{HOLDS_GARBAGE}; then: it is so"
    )


@pytest.mark.parametrize("kind", ["deadline", "environment", "internal"])
def test_a_receiver_that_did_not_refuse_is_not_judged_by_its_memory(kind: Kind) -> None:
    assert refused(failure(kind), "zlib", GARBAGE) == failed(failure(kind), "zlib")


# A sender that fails beside it


@pytest.mark.parametrize("seen", [REJECTED, HAZARD])
@pytest.mark.parametrize("kind", ["closed", "deadline"])
def test_a_sender_whose_receiver_went_away_has_nothing_to_add(kind: Kind, seen: Observation) -> None:
    assert sender_failed(seen, failure(kind), "s") == seen


def test_a_sender_that_its_host_lets_down_though_the_memory_arrived_has_claimed_nothing() -> None:
    assert sender_failed(IDENTICAL, failure("environment"), "s") == failed(failure("environment"), "s")


@pytest.mark.parametrize("kind", [kind for kind in OUTCOMES if kind != "environment"])
def test_a_sender_that_fails_though_the_memory_arrived_makes_a_false_claim(kind: Kind) -> None:
    assert sender_failed(IDENTICAL, failure(kind), "s") == Observation(
        "identical", claim="sender s failed (it is so), though the memory arrived"
    )


@pytest.mark.parametrize("kind", OUTCOMES)
def test_wrong_memory_counts_whatever_the_sender_says(kind: Kind) -> None:
    assert sender_failed(HAZARD, failure(kind), "s") == HAZARD


@pytest.mark.parametrize("seen", [REJECTED, Observation("crash"), Observation("hang"), Observation("broken")])
@pytest.mark.parametrize("kind", ["unsupported", "wire", "payload", "environment", "internal"])
def test_any_other_failure_of_a_sender_counts_before_that_of_its_receiver(kind: Kind, seen: Observation) -> None:
    assert sender_failed(seen, failure(kind), "s") == failed(failure(kind), "s")


# Claims


def test_a_peer_that_ran_as_it_declares_claims_nothing_false() -> None:
    assert held_to_provenance(IDENTICAL, [(peer("software"), ran_as("software"))]) == IDENTICAL


def test_a_peer_that_ran_otherwise_than_it_declares_makes_a_false_claim() -> None:
    assert held_to_provenance(IDENTICAL, [(peer("hardware"), ran_as("software"))]) == Observation(
        "identical", claim="peer p declares hardware and says that it ran as software"
    )


def test_a_peer_that_failed_did_not_say_how_it_ran() -> None:
    assert held_to_provenance(REJECTED, [(peer("hardware"), failure("payload"))]) == REJECTED


def test_both_ends_may_make_false_claims() -> None:
    ends = [(peer("hardware"), ran_as("software")), (peer("emulated"), ran_as("hardware"))]

    assert held_to_provenance(HAZARD, ends).claim == (
        "peer p declares hardware and says that it ran as software;"
        " peer p declares emulated and says that it ran as hardware"
    )


def test_a_claim_changes_nothing_else_of_what_was_observed() -> None:
    assert claimed(HAZARD, "a lie") == Observation("hazard", None, "pages stay old", claim="a lie")
