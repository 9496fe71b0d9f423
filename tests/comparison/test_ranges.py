"""Issues of one version only: what the other cannot have is no race between the two."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multifd.comparison.compared import Comparison, compare
from multifd.comparison.ranges import Ranges
from multifd.result.record import Cell, Peer, Results
from tests.reports.builder import cell, finding, peer, results

OLD: Final = "10.0.13"
NEW: Final = "11.1.3"
OF_NEW: Final = "qemu-source-stays-failing"
"""QEMU >=11.1,<11.2 as sender, by chance."""
OF_OLD: Final = "qemu-channel-id-off-by-one"
"""QEMU >=5.0,<11.1 as receiver, by chance."""
OF_BOTH: Final = "qemu-destination-hangs-on-channel-error"
"""By chance, whichever it is."""
CLEAN: Final[dict[str, Any]] = {"verdict": "refused", "predicted": "rejected", "observed": "rejected"}


def shown(issue: str) -> dict[str, Any]:
    """What is special in a cell that shows it."""
    return CLEAN | {"verdict": "known", "kind": "hang", "observed": "hang", "issues": (issue,)}


def qemu(version: str, name: str = "qemu-a") -> Peer:
    return peer(name, "software").model_copy(update={"version": version})


def run(one: Cell, *peers: Peer) -> Results:
    findings = tuple(finding(id=issue, cells=(one.id,)) for issue in one.issues)
    return results(one, findings=findings).model_copy(update={"peers": peers})


def compared(before: dict[str, Any], after: dict[str, Any], was: str = OLD, now: str = NEW) -> Comparison:
    """One cell of a QEMU of one version, then of another."""
    ends = {"id": "qemu/a", "suite": "qemu", "sender": "qemu-a", "receiver": "qemu-a"}
    return compare(run(cell(**ends, **before), qemu(was)), run(cell(**ends, **after), qemu(now)))


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (CLEAN, shown(OF_NEW), "worse"),
        (shown(OF_OLD), CLEAN, "better"),
        (CLEAN, shown(OF_BOTH), "other"),
        (shown(OF_BOTH), CLEAN, "other"),
        (shown(OF_OLD), shown(OF_BOTH), "other"),
    ],
)
def test_what_one_version_alone_can_have_is_no_race(
    before: dict[str, Any], after: dict[str, Any], direction: str
) -> None:
    (change,) = compared(before, after).cells

    assert (change.direction, change.chance) == (direction, direction == "other")


@pytest.mark.parametrize("version", [NEW, "unknown"])
def test_of_two_that_may_both_have_it_chance_decides(version: str) -> None:
    found = compared(CLEAN, shown(OF_NEW), was=version)

    assert [each.chance for each in found.cells] == [True]
    assert found.regressions == 0


def test_a_finding_that_the_version_before_cannot_have_is_a_regression() -> None:
    found = compared(CLEAN, shown(OF_NEW))

    assert [(each.state, each.chance, each.worse) for each in found.findings] == [("new", True, True)]
    assert found.worse == {"cell": 1, "finding": 1}


def test_beside_a_splice_both_ends_are_the_qemu() -> None:
    spliced = cell(id="a", suite="qemu", sender="zlib", receiver="qemu-a", scenario="splice")
    ranges = Ranges(run(spliced, qemu(OLD)))

    assert ranges.lack((OF_NEW,), spliced)
    assert not ranges.lack((OF_NEW,), spliced.model_copy(update={"scenario": "migrate"}))


def test_a_vendor_library_has_its_version_too_and_a_model_of_it_none() -> None:
    one = cell(sender="qatzip", receiver="qatzip")

    for provenance, lacks in (("vendor-software", True), ("emulated", False)):
        newer = peer("qatzip", "software").model_copy(update={"version": "9.0", "provenance": provenance})
        assert Ranges(run(one, newer)).lack(("qatzip-raw-exact",), one) is lacks
