"""Known issues of QEMU: each is matched by what real binaries did, and by nothing beside it."""

from __future__ import annotations

from typing import Final, NamedTuple

import pytest

from multifd.campaign.conclude import concluded
from multifd.campaign.options import Options
from multifd.evidence.outcome import Outcome
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.oracle.verdict import Observation, Observed
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.whole import qemu_plan
from multifd.profile.load import load
from multifd.result.known import findings, shipped
from multifd.result.record import Cell, Verdict
from multifd.result.versions import Release, Releases
from tests.qemu.recorded import VERSIONS, peer

PIPE: Final = "source failed: Unable to write to socket: Broken pipe"
QUIT: Final = "multifd_send_pages: channel 0 has already quit!; Unable to write to socket: Broken pipe"


class Seen(NamedTuple):
    """What a real run recorded, and the issue that it shows."""

    issue: str
    cell: str
    outcome: Observed
    error: str | None
    verdict: Verdict = "known"
    before: str = ""
    """What the record's detail has before the error."""

    def __str__(self) -> str:
        return f"{self.outcome}-{self.cell}"


ZERO: Final = "0 pages hold what was never sent, 64 hold something old, first at page 259 of m"
STILL: Final = "nothing moves any more: "
SEEN: Final = (
    Seen("qemu-mask-hides-flag", "uadk~none/zlib~qemu-7.2.22/qemu-10.0~qemu-5.0/splice/", "hazard",
         "destination exit status 1: check_section_footer: Read section footer failed: -5; load of migration failed:"
         f" Invalid argument; {PIPE}", "hazard"),
    Seen("qemu-zero-pages-ignored", "none/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate/", "hazard", None,
         "hazard", f"everybody says completed, {ZERO}"),
    Seen("qemu-completed-without-destination", "zlib~zstd/qemu-11.1.3~qemu-11.1.3/qemu-10.0/busy-destination/",
         "hazard", "destination setup, answers no more: no message; source completed: no message", "hazard"),
    Seen("qemu-completed-without-destination", "zlib~zstd/qemu-7.2.22~qemu-10.0.13/qemu-5.0~qemu-10.0/busy-dest",
         "hazard", "destination none, answers no more: no message; source completed: no message", "hazard"),
    Seen("qemu-destination-hangs-on-channel-error", "none/qemu-7.2.22~qemu-7.2.22/qemu-5.0/more-channels/", "hang",
         f"destination none, answers no more: no message; {PIPE}", before=STILL),
    Seen("qemu-destination-hangs-on-channel-error", "zlib-packet[window=15]~zlib/isal~qemu-10.0.13/qemu-10.0/splice/",
         "hang", f"destination setup, answers no more: no message; {PIPE}", before=STILL),
    Seen("qemu-source-hangs-on-channel-error", "zlib-packet[window=12]~zlib/isal~qemu-10.0.13/qemu-10.0/splice/",
         "hang", "destination exit status 1: multifd 1: inflate returned 1 instead of Z_OK; source pre-switchover,"
         " answers no more: no message", before=STILL),
    Seen("qemu-waits-for-missing-channels", "none/qemu-7.2.22~qemu-7.2.22/qemu-5.0/fewer-channels/", "hang",
         "destination none: no message; source active: no message", before=STILL),
    Seen("qemu-waits-for-missing-channels", "none/qemu-7.2.22~qemu-10.0.13/qemu-5.0~qemu-10.0/fewer-channels/", "hang",
         "destination setup: no message; source active: no message", before=STILL),
    Seen("qemu-channel-id-off-by-one", "none~zlib/qemu-7.2.22~qemu-10.0.13/qemu-5.0~qemu-10.0/more-channels/", "crash",
         "destination killed by signal 11: no message"),
    Seen("qemu-channel-id-off-by-one", "none~zlib/qemu-7.2.22~qemu-7.2.22/qemu-5.0/more-channels/", "hang",
         f"destination active: no message; {PIPE}", before=STILL),
    Seen("qemu-source-aborts-when-refused", "zlib/qemu-7.2.22~qemu-7.2.22/qemu-5.0/more-channels/", "crash",
         "source killed by signal 6: multifd_send_sync_main: channel 2 has already quit; Unable to write to socket:"
         " Broken pipe; ../../util/yank.c:122: yank_register_function: Assertion `entry' failed."),
    Seen("qemu-refused-channel-unreported", "zlib/qemu-7.2.22~qemu-7.2.22/qemu-5.0/recorded-fault-init-magic/", "hang",
         "destination none: no message"),
    Seen("qemu-refused-channel-unreported", "zlib/qemu-7.2.22~qemu-7.2.22/qemu-5.0/recorded-fault-ends-in-init/",
         "hang", "destination none: no message"),
    Seen("qemu-payload-overruns-buffer", "zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/recorded-fault-packet-size/",
         "rejected", "destination exit status 1: Getting RAM address failed; error while loading state for instance 0x0"
         " of device 'ram'; Unable to read from socket: Bad address"),
    Seen("qemu-asserts-on-size-without-pages", "zstd/qemu-10.0.13~qemu-10.0.13/qemu-10.0/recorded-fault-zero-with-size",
         "crash", "destination killed by signal 6: migration/multifd-zstd.c:216: multifd_zstd_recv: Assertion"
         " `in_size == 0' failed."),
    Seen("qemu-zstd-keeps-the-rest", "zstd/qemu-11.1.3~qemu-11.1.3/qemu-10.0/recorded-fault-normal-one-less", "hazard",
         None, "hazard", "everybody says completed, 160 pages hold what was never sent"),
    Seen("qemu-failed-source-completed-destination", "none/qemu-7.2.22~qemu-7.2.22/qemu-5.0/migrate/", "hazard",
         f"destination completed: no message; {PIPE}",
         before="the receiving side says completed, the source does not: "),
)  # fmt: skip
OTHERWISE: Final = (
    Seen("", "none/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/", "hazard", None, "fail",
         f"everybody says completed, {ZERO}"),
    Seen("", "none/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/", "crash",
         "destination killed by signal 11: no message", "fail"),
    Seen("", "zlib/qemu-11.1.3~qemu-11.1.3/qemu-10.0/tcp/", "crash",
         "source killed by signal 6: yank_register_function: Assertion `entry' failed.", "fail"),
    Seen("", "none/qemu-7.2.22~qemu-7.2.22/qemu-5.0/migrate/", "hang",
         "destination none: no message; source active: no message", "fail", STILL),
    Seen("", "zlib~zstd/qemu-11.1.3~qemu-11.1.3/qemu-10.0/busy-return-path/", "hazard",
         "destination exit status 1: no message; source completed: no message", "fail",
         "source says completed, destination is dead: "),
    Seen("", "zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/", "hang",
         f"destination active, answers no more: no message; {PIPE}", before=STILL),
    Seen("", "zlib-packet[window=12]~zlib/isal~qemu-10.0.13/qemu-10.0/splice/", "hang",
         "destination exit status 1: no message; source active, answers no more: no message", "fail", STILL),
    Seen("", "zlib/isal~qemu-11.1.3/qemu-10.0/splice/", "hang",
         "destination exit status 1: no message; source failing: no message", before=STILL),
)  # fmt: skip
"""The like of it where no issue says so."""


@pytest.fixture(scope="module")
def cells() -> list[PlannedCell]:
    ours: LineUp = resolve("software-only", load("software-only"), None)
    return list(qemu_plan(ours.model_copy(update={"qemus": tuple(map(peer, VERSIONS))})))


def recorded(seen: Seen, cells: list[PlannedCell]) -> Cell:
    """The record of a run in which this was seen."""
    (cell,) = (cell for cell in cells if cell.id.startswith(f"qemu/{seen.cell}"))
    observation = Observation(seen.outcome, seen.error, seen.before + (seen.error or ""))
    return concluded(cell, Outcome(observation), Options(), shipped())


@pytest.mark.parametrize("seen", SEEN, ids=str)
def test_what_real_binaries_did_is_known(seen: Seen, cells: list[PlannedCell]) -> None:
    record = recorded(seen, cells)

    assert record.verdict == seen.verdict, record.reason
    assert [finding.id for finding in findings([record], shipped())] == [seen.issue]


@pytest.mark.parametrize("seen", OTHERWISE, ids=str)
def test_the_like_of_it_elsewhere_fails(seen: Seen, cells: list[PlannedCell]) -> None:
    record = recorded(seen, cells)

    assert (record.verdict, findings([record], shipped())) == ("fail", ())


def test_a_destination_that_no_longer_waits_for_missing_channels_is_news(cells: list[PlannedCell]) -> None:
    refused = Seen(
        "", "none/qemu-11.1.3~qemu-11.1.3/qemu-10.0/fewer-channels/", "rejected",
        f"destination exit status 1: check_section_footer: Read section footer failed: -5; {PIPE}",
    )  # fmt: skip

    assert recorded(refused, cells).reason == (
        "known issue qemu-waits-for-missing-channels no longer happens: take it out of the list"
    )


@pytest.mark.parametrize(
    "error",
    [
        f"destination exit status 1: multifd: received channel id 2 exceeds channel count 2; {PIPE}",
        f"destination exit status 1: multifd: received id '2' already setup'; Not a migration stream; {PIPE}",
        "destination exit status 1: socket_accept_incoming_migration: Extra incoming migration connection; ignoring;"
        f" Unknown combination of migration flags: 0x0; load of migration failed: Invalid argument; {PIPE}; {QUIT}",
    ],
)
def test_a_destination_that_refuses_too_many_channels_does_as_it_should(error: str, cells: list[PlannedCell]) -> None:
    refused = Seen("", "none/qemu-7.2.22~qemu-7.2.22/qemu-5.0/more-channels/", "rejected", error)

    assert recorded(refused, cells).verdict == "refused"


STALE: Final = "channel 0, packet 14, byte 614780: next_packet_size is 60, expected 0 where no page is normal"
TWICE: Final = "channel 0, packet 14: packet_num is 14, expected one that no other packet has (and 1 more)"
NOWHERE: Final = "packet_num is nowhere 13, expected every number from 0 to 19 (and 1 more)"
COUNT: Final = "ram.transferred is 4493881, expected 1512753, the sum of all connections"


def kept(cells: list[PlannedCell], qemu: str, *broken: str, scenario: str = "book-keeping") -> Cell:
    """The record of a guest that arrived while this did not hold."""
    (cell,) = (cell for cell in cells if cell.id.startswith(f"qemu/zlib/{qemu}~{qemu}/") and f"/{scenario}/" in cell.id)
    release = (Release("QEMU", qemu.removeprefix("qemu-")),)
    known = Releases({"sender": release, "receiver": release})
    return concluded(cell, Outcome(Observation("identical", broken=broken)), Options(), shipped(), known)


def test_the_book_keeping_of_7_2_is_known(cells: list[PlannedCell]) -> None:
    record = kept(cells, "qemu-7.2.22", STALE, TWICE, NOWHERE, COUNT)

    assert record.verdict == "known", record.reason
    assert record.issues == ("qemu-counts-uncompressed", "qemu-numbers-packets-twice", "qemu-stale-packet-size")


def test_the_book_keeping_of_11_1_3_would_be_news(cells: list[PlannedCell]) -> None:
    record = kept(cells, "qemu-11.1.3", COUNT)

    assert (record.verdict, record.kind, record.issues) == ("fail", "invariant", ())
    assert "known issue qemu-counts-uncompressed says the like of QEMU >=5.0,<8.1 as sender" in record.reason


def test_a_packet_that_7_2_would_lose_hides_behind_nothing(cells: list[PlannedCell]) -> None:
    flags = "channel 1, packet 1, byte 64: flags is 4097, expected 0 or 1 or 2 or 3 without pages"

    record = kept(cells, "qemu-7.2.22", STALE, COUNT, flags)

    assert (record.verdict, record.kind) == ("fail", "invariant")
    assert record.reason.startswith(f"no known issue lists this: invariant: {flags}")


def test_elsewhere_a_version_is_held_to_its_own_word(cells: list[PlannedCell]) -> None:
    record = kept(cells, "qemu-7.2.22", COUNT, scenario="migrate")

    assert (record.verdict, record.kind) == ("fail", "invariant")


def test_a_count_that_nobody_could_look_at_is_no_news(cells: list[PlannedCell]) -> None:
    record = kept(cells, "qemu-7.2.22", STALE)

    assert (record.verdict, record.issues) == ("known", ("qemu-stale-packet-size",))
