"""From what both sides say, and what is in memory, to one observation: every row of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, NamedTuple

import pytest

from multifd.errors import PeerError
from multifd.evidence.fate import Arrived, Said, alone, at_ours, bereft, between
from multifd.evidence.observe import Memory
from multifd.oracle.verdict import Observation
from multifd.peer import contract
from multifd.qemu.migration import Course, End

RIGHT: Final = Arrived(Memory(True, 0, 0, ""))
OLD: Final = Arrived(Memory(False, 0, 5, "first at page 300 of m"))
GARBAGE: Final = Arrived(Memory(False, 7, 2, "first at page 0 of m"), raw=True)
GARBAGE_DECODED: Final = Arrived(GARBAGE.ram)
STRANGE: Final = replace(RIGHT, strange=("pc.bios", "/rom@etc/acpi/tables"))

COMPLETED: Final = End("completed")
ACTIVE: Final = End("active")
WAITING: Final = End("none")
MUTE: Final = End("active", mute=True)
BROKEN_PIPE: Final = End("failed", error="Broken pipe")
REFUSING: Final = End("active", exit_status=1, log="multifd 0: flags received 2 flags expected 0")
DEAD_AFTER_ALL: Final = End("completed", exit_status=1)
SEGFAULT: Final = End("active", exit_status=-11)
ASSERTION: Final = End("active", exit_status=-6, log="Assertion `entry' failed.")

REFUSED: Final = "destination exit status 1: multifd 0: flags received 2 flags expected 0; source failed: Broken pipe"
HOLDS_OLD: Final = "0 pages hold what was never sent, 5 hold something old, first at page 300 of m"
HOLDS_GARBAGE: Final = "7 pages hold what was never sent, 2 hold something old, first at page 0 of m"


def done() -> contract.Done:
    return contract.Done(id=1, provenance="software")


def failed(kind: Literal["payload", "closed", "deadline"], error: str = "payload: size is 5, expected 4") -> Said:
    return contract.Failed(id=1, error=error, kind=kind)


BEHIND_THE_DEAD: Final = Observation(
    "hazard",
    "destination exit status 1: multifd 0: flags received 2 flags expected 0; source completed: no message",
    "source says completed, destination is dead: destination exit status 1: multifd 0: flags received 2 flags"
    " expected 0; source completed: no message",
)
"""The source completed towards a destination that had refused."""


class Row(NamedTuple):
    """Two QEMUs and what is observed."""

    source: End
    destination: End
    arrived: Arrived
    observed: Observation
    stalled: bool = False


ROWS: Final = {
    "both completed, memory is right": Row(COMPLETED, COMPLETED, RIGHT, Observation("identical")),
    "both completed, pages are old": Row(
        COMPLETED, COMPLETED, OLD, Observation("hazard", None, f"everybody says completed, {HOLDS_OLD}")
    ),
    "both completed, other RAM blocks are wrong": Row(
        COMPLETED,
        COMPLETED,
        STRANGE,
        Observation("hazard", None, "everybody says completed, RAM blocks pc.bios, /rom@etc/acpi/tables differ"),
    ),
    "source completed, destination dead": Row(
        COMPLETED,
        REFUSING,
        OLD,
        BEHIND_THE_DEAD,
    ),
    "source completed, destination dead after it said completed": Row(
        COMPLETED,
        DEAD_AFTER_ALL,
        RIGHT,
        Observation(
            "hazard",
            "destination exit status 1: no message; source completed: no message",
            "source says completed, destination is dead: destination exit status 1: no message; source completed: no"
            " message",
        ),
    ),
    "source completed, destination hung": Row(
        COMPLETED,
        MUTE,
        OLD,
        Observation(
            "hazard",
            "destination active, answers no more: no message; source completed: no message",
            "source says completed, destination is hung: destination active, answers no more: no message; source"
            " completed: no message",
        ),
        stalled=True,
    ),
    "source completed, destination failed and lives": Row(
        COMPLETED,
        BROKEN_PIPE,
        OLD,
        Observation(
            "hazard",
            "destination failed: Broken pipe; source completed: no message",
            "source says completed, destination is failed: destination failed: Broken pipe; source completed: no"
            " message",
        ),
    ),
    "source completed, destination ended, and nothing moves any more": Row(
        COMPLETED,
        REFUSING,
        OLD,
        BEHIND_THE_DEAD,
        stalled=True,
    ),
    "destination completed alone": Row(
        BROKEN_PIPE,
        COMPLETED,
        RIGHT,
        Observation(
            "hazard",
            "destination completed: no message; source failed: Broken pipe",
            "the receiving side says completed, the source does not: destination completed: no message; source failed:"
            " Broken pipe",
        ),
    ),
    "source crashed": Row(
        ASSERTION,
        WAITING,
        OLD,
        Observation(
            "crash",
            "source killed by signal 6: Assertion `entry' failed.",
            "source killed by signal 6: Assertion `entry' failed.",
        ),
    ),
    "destination crashed": Row(
        BROKEN_PIPE,
        SEGFAULT,
        OLD,
        Observation(
            "crash", "destination killed by signal 11: no message", "destination killed by signal 11: no message"
        ),
    ),
    "destination crashed, source says completed": Row(
        COMPLETED,
        SEGFAULT,
        OLD,
        Observation(
            "crash", "destination killed by signal 11: no message", "destination killed by signal 11: no message"
        ),
    ),
    "both wait": Row(
        ACTIVE,
        WAITING,
        OLD,
        Observation(
            "hang",
            "destination none: no message; source active: no message",
            "nothing moves any more: destination none: no message; source active: no message",
        ),
        stalled=True,
    ),
    "destination refused": Row(BROKEN_PIPE, REFUSING, OLD, Observation("rejected", REFUSED, REFUSED)),
    "destination refused after it took payloads for pages": Row(
        BROKEN_PIPE, REFUSING, GARBAGE, Observation("hazard", REFUSED, f"{HOLDS_GARBAGE}; then: {REFUSED}")
    ),
    "destination hangs after it took payloads for pages": Row(
        ACTIVE,
        MUTE,
        GARBAGE,
        Observation(
            "hazard",
            "destination active, answers no more: no message; source active: no message",
            f"{HOLDS_GARBAGE}; then: destination active, answers no more: no message; source active: no message",
        ),
        stalled=True,
    ),
    "destination refused after it decoded something": Row(
        BROKEN_PIPE, REFUSING, GARBAGE_DECODED, Observation("rejected", REFUSED, REFUSED)
    ),
    "destination takes payloads for pages and refuses at once": Row(
        BROKEN_PIPE, REFUSING, replace(OLD, raw=True), Observation("rejected", REFUSED, REFUSED)
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_between_two_qemus(row: Row) -> None:
    course = Course(row.source, row.destination, stalled=row.stalled)

    assert between(course, row.arrived) == row.observed


@pytest.mark.parametrize(("status", "outcome"), [(0, "rejected"), (1, "rejected"), (-1, "crash"), (-11, "crash")])
def test_a_process_that_was_killed_crashed_and_one_that_exited_did_not(
    status: int, outcome: Literal["rejected", "crash"]
) -> None:
    course = Course(BROKEN_PIPE, replace(REFUSING, exit_status=status))

    assert between(course, OLD).outcome == outcome


# With a splice between them


def test_what_the_splice_refused_comes_first() -> None:
    course = Course(BROKEN_PIPE, replace(BROKEN_PIPE, error="end of file"))

    observed = between(course, OLD, failed("payload"))

    assert (observed.outcome, observed.error) == (
        "rejected",
        "payload: size is 5, expected 4; destination failed: end of file; source failed: Broken pipe",
    )


@pytest.mark.parametrize("kind", ["closed", "deadline"])
def test_a_splice_whose_ends_went_away_has_nothing_to_add(kind: Literal["closed", "deadline"]) -> None:
    assert between(Course(BROKEN_PIPE, REFUSING), OLD, failed(kind)) == between(Course(BROKEN_PIPE, REFUSING), OLD)


@pytest.mark.parametrize(("kind", "outcome"), [("hang", "hang"), ("crash", "crash")])
def test_a_splice_that_broke_its_contract_is_what_is_observed(
    kind: Literal["hang", "crash"], outcome: Literal["hang", "crash"]
) -> None:
    broken = PeerError(kind, "peer zlib did not answer")

    observed = between(Course(COMPLETED, COMPLETED), RIGHT, broken)

    assert observed == Observation(outcome, "peer zlib did not answer", "peer zlib did not answer")


def test_memory_counts_whatever_the_splice_says() -> None:
    assert between(Course(COMPLETED, COMPLETED), OLD, done()).outcome == "hazard"


# To our receiver

OURS: Final = {
    "both completed, memory is right": (Course(COMPLETED), RIGHT, done(), Observation("identical")),
    "both completed, pages are old": (
        Course(COMPLETED),
        OLD,
        done(),
        Observation("hazard", None, f"everybody says completed, {HOLDS_OLD}"),
    ),
    "source completed, receiver failed": (
        Course(COMPLETED),
        OLD,
        failed("payload"),
        Observation(
            "hazard",
            "payload: size is 5, expected 4; source completed: no message",
            "source says completed, receiver failed: payload: size is 5, expected 4; source completed: no message",
        ),
    ),
    "receiver completed alone": (
        Course(BROKEN_PIPE),
        RIGHT,
        done(),
        Observation(
            "hazard",
            "source failed: Broken pipe",
            "the receiving side says completed, the source does not: source failed: Broken pipe",
        ),
    ),
    "receiver refused": (
        Course(BROKEN_PIPE),
        OLD,
        failed("payload"),
        Observation(
            "rejected",
            "payload: size is 5, expected 4; source failed: Broken pipe",
            "payload: size is 5, expected 4; source failed: Broken pipe",
        ),
    ),
    "receiver waits": (
        Course(ACTIVE, stalled=True),
        OLD,
        failed("deadline", "nothing came within 20 s"),
        Observation(
            "hang",
            "nothing came within 20 s; source active: no message",
            "nothing moves any more: nothing came within 20 s; source active: no message",
        ),
    ),
    "receiver broke its contract": (
        Course(COMPLETED),
        RIGHT,
        PeerError("crash", "peer zlib exited"),
        Observation("crash", "peer zlib exited", "peer zlib exited"),
    ),
    "source crashed": (
        Course(SEGFAULT),
        OLD,
        failed("closed", "the sender went away"),
        Observation("crash", "source killed by signal 11: no message", "source killed by signal 11: no message"),
    ),
}


@pytest.mark.parametrize(("course", "arrived", "said", "observed"), OURS.values(), ids=list(OURS))
def test_between_a_qemu_and_our_receiver(course: Course, arrived: Arrived, said: Said, observed: Observation) -> None:
    assert at_ours(course, arrived, said) == observed


# Of a recording

ALONE: Final = {
    "completed, memory is right": (Course(COMPLETED), RIGHT, Observation("identical")),
    "completed, pages are old": (
        Course(COMPLETED),
        OLD,
        Observation("hazard", None, f"everybody says completed, {HOLDS_OLD}"),
    ),
    "refused": (
        Course(REFUSING),
        OLD,
        Observation(
            "rejected",
            "destination exit status 1: multifd 0: flags received 2 flags expected 0",
            "destination exit status 1: multifd 0: flags received 2 flags expected 0",
        ),
    ),
    "waits": (
        Course(ACTIVE, stalled=True),
        OLD,
        Observation("hang", "destination active: no message", "destination active: no message"),
    ),
    "crashed": (
        Course(SEGFAULT),
        OLD,
        Observation(
            "crash", "destination killed by signal 11: no message", "destination killed by signal 11: no message"
        ),
    ),
}


@pytest.mark.parametrize(("course", "arrived", "observed"), ALONE.values(), ids=list(ALONE))
def test_of_a_qemu_that_is_played_a_recording(course: Course, arrived: Arrived, observed: Observation) -> None:
    assert alone(course, arrived) == observed


# In words


@pytest.mark.parametrize(
    ("end", "fate"),
    [
        (ACTIVE, "active"),
        (MUTE, "active, answers no more"),
        (REFUSING, "exit status 1"),
        (SEGFAULT, "killed by signal 11"),
        (replace(MUTE, exit_status=0), "exit status 0"),
    ],
)
def test_the_fate_of_a_qemu_in_words(end: End, fate: str) -> None:
    assert end.fate == fate


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (End(), "no message"),
        (End(error="Broken pipe"), "Broken pipe"),
        (End(log="load of migration failed"), "load of migration failed"),
        (End(error="Broken pipe", log="load of migration failed"), "Broken pipe; load of migration failed"),
        (End(error="Broken pipe", log="Broken pipe"), "Broken pipe"),
    ],
)
def test_what_a_qemu_said_of_its_failure(end: End, words: str) -> None:
    assert end.words == words


def test_a_destination_that_has_barred_whoever_came_and_waits_on_has_refused() -> None:
    barring = End("setup", log="Verify failed: No certificate was found.")
    course = Course(source=BROKEN_PIPE, destination=barring, stalled=True)

    words = "destination setup: Verify failed: No certificate was found.; source failed: Broken pipe"
    assert between(course, OLD, barred=True) == Observation("rejected", words, words)
    assert between(course, OLD).outcome == "hang"


def test_a_source_that_completes_towards_a_destination_that_has_barred_it_has_lost_its_guest() -> None:
    course = Course(source=COMPLETED, destination=End("setup"), stalled=True)

    assert between(course, OLD, barred=True).outcome == "hazard"


@pytest.mark.parametrize(
    ("side", "end", "written", "observed"),
    [
        ("source", End("failed", error="TLS handshake failed"), False, "rejected"),
        ("destination", End("setup", log="TLS handshake failed"), False, "rejected"),
        ("destination", End("none", log="TLS handshake failed"), False, "rejected"),
        ("destination", End("none", exit_status=1), False, "rejected"),
        ("source", End("setup", mute=True), False, "hang"),
        ("source", End("setup", log="TLS handshake failed"), False, "hang"),
        ("destination", End("setup"), False, "hang"),
        ("destination", End("setup", mute=True, log="TLS handshake failed"), False, "hang"),
        ("source", COMPLETED, False, "hazard"),
        ("destination", End("setup", log="TLS handshake failed"), True, "hazard"),
        ("destination", SEGFAULT, False, "crash"),
    ],
)
def test_who_is_left_must_say_why(side: str, end: End, written: bool, observed: str) -> None:
    assert bereft(side, end, written=written).outcome == observed
