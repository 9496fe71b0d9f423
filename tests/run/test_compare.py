"""An emulation against its library: what the comparison says is what the cell observes."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.evidence.outcome import Outcome
from multifd.libraries.find import Library
from multifd.plan.work import Fidelity
from multifd.process.run import Ended
from multifd.run import vendor

LIBRARY = Library("qpl", Path("libqpl.so.1"), "1.9.0", "host", (), (2, 36))


WORK = Fidelity(library="qpl", framing="qpl", emulation="iaa-emulated", streams=5000)


def compared(monkeypatch: pytest.MonkeyPatch, ended: Ended) -> Outcome:
    monkeypatch.setattr(vendor, "run", lambda *_: ended)
    return vendor.compare(WORK, LIBRARY, 1.0)


def test_agreement_is_identical_and_says_what_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = compared(monkeypatch, Ended(0, b"qpl 1.9.0, 5000 streams, seed 1\n", b""))

    assert outcome.observation.outcome == "identical"
    assert (outcome.provenance.sender, outcome.provenance.receiver) == ("emulated", "vendor-software")


def test_a_disagreement_is_corruption_and_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b"DISAGREE fixed raw room 4096: emulator ok (5 bytes), library 217 (0 bytes)"

    outcome = compared(monkeypatch, Ended(1, b"table\n" + line + b"\n    0300\n", b""))

    assert outcome.observation.outcome == "hazard"
    assert line.decode() in outcome.observation.detail


@pytest.mark.parametrize("ended", [Ended(3, b"", b"no library"), Ended(2, b"", b"usage")])
def test_a_comparison_that_did_not_happen_is_no_agreement(monkeypatch: pytest.MonkeyPatch, ended: Ended) -> None:
    assert compared(monkeypatch, ended).observation.outcome == "broken"


def test_a_comparison_that_hangs_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(monkeypatch, Ended(-9, b"", b"", "hung")).observation.outcome == "hang"
