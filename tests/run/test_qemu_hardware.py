"""A real QEMU is on hardware where a device counted what its side was asked for, and nowhere else.

No QEMU of Debian's is built for an accelerator: here ``zlib`` stands for the method of one, which a tree of files
counts for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from multifd.accelerator import IAA, KUNPENG, QAT
from multifd.evidence.demand import Recorded
from multifd.evidence.outcome import Outcome
from multifd.evidence.routing import Sent
from multifd.lineup.peers import LineUp
from multifd.lineup.qemus import resolve_qemus
from multifd.migrate.capture import Capture
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.work import Pairing
from multifd.run.bench import Bench
from multifd.run.qemu import ends as qemu_ends
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.ends import Ends
from multifd.run.stage import Stage
from tests.evidence.engine import Engine
from tests.liars.court import honest, line_up
from tests.qemu.host import QEMU, needs_qemu
from tests.qemu.recorded import peer as recorded

WITHIN = 20.0
Migrate = Callable[[str, int], Outcome]


@pytest.fixture(scope="module")
def there() -> LineUp:
    """One QEMU and honest peers of ours."""
    return line_up(honest()).model_copy(update={"qemus": resolve_qemus((QEMU,), WITHIN)})


@pytest.fixture
def migrate(there: LineUp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Migrate]:
    """Run the first migration of a pairing, Q is the QEMU; an engine does what is asked, and so many jobs more."""
    monkeypatch.setattr(qemu_ends, "by_method", lambda method: KUNPENG if method == "zlib" else None)
    migrated = QemuBench._migrate
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        scratch = Path(directory)
        engine = Engine(scratch / "host")
        bench = Bench(there, Stage(scratch, "main", 1, None), engine.host)

        def run(pairing: str, more: int) -> Outcome:
            def working(bench: QemuBench, pairing: Pairing, record: Path | None) -> Any:
                came = migrated(bench, pairing, record)
                assert record is not None
                asked = Ends.of(there, pairing).parts(Recorded.of(Capture.open(record)), None)
                engine.work(
                    sum(part.asked.least for end, part in asked.items() if end in Ends.of(there, pairing).methods)
                    + more
                )
                return came

            monkeypatch.setattr(QemuBench, "_migrate", working)
            place = f"qemu/zlib/{pairing.replace('Q', there.qemus[0].name)}/"
            outcome = bench.run(next(each.pairing for each in qemu_plan(there) if each.id.startswith(place)))
            assert not list(scratch.glob("main/overheard*"))
            return outcome

        yield run
        bench.close()


@needs_qemu
@pytest.mark.parametrize(
    ("more", "verdict", "provenance"),
    [(0, "proven", "hardware"), (-1, "not claimed", "software"), (1, "unverified", "software")],
)
def test_a_side_is_hardware_if_its_device_did_what_was_asked(
    more: int, verdict: str, provenance: str, migrate: Migrate
) -> None:
    outcome = migrate("Q~zlib", more)

    (sender,) = outcome.device
    assert (sender.end, sender.verdict, outcome.observation.device) == ("sender", verdict, verdict)
    assert sender.asked == sender.most
    assert sender.counted == sender.asked + more
    assert (outcome.provenance.sender, outcome.provenance.receiver) == (provenance, "software")


@needs_qemu
@pytest.mark.parametrize(
    ("more", "verdict", "provenance"),
    [(0, "proven", "hardware"), (-1, "not claimed", "software"), (1, "unverified", "software")],
)
def test_two_sides_on_one_device_are_told_apart(more: int, verdict: str, provenance: str, migrate: Migrate) -> None:
    outcome = migrate("Q~Q", more)

    assert [each.verdict for each in outcome.device] == [verdict, verdict]
    assert (outcome.provenance.sender, outcome.provenance.receiver) == (provenance, provenance)
    assert outcome.artifacts == ()


def pairing(sender: str, receiver: str, framing: str) -> Pairing:
    return Pairing(
        sender=sender, receiver=receiver, sender_framing=framing, receiver_framing=framing, sender_dialect="qemu-10.0",
        receiver_dialect="qemu-10.0", scenario="migrate", corpus="text", page_size=4096, channels=1,
        sizes={"pc.ram": 4096},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("framing", "accelerator", "pages", "least", "most"),
    [
        pytest.param("qatzip", QAT, 128, 8, 8, id="libqatzip, a request for each 64 KiB"),
        pytest.param("qatzip", QAT, 17, 2, 2, id="libqatzip, the rest is one as well"),
        pytest.param("qpl", IAA, 128, 128, None, id="libqpl, a job for each page at least"),
        pytest.param("uadk", KUNPENG, 128, 128, 128, id="UADK, a job for each page"),
    ],
)
def test_a_qemu_is_asked_by_the_defaults_of_its_library(
    framing: str, accelerator: object, pages: int, least: int, most: int | None
) -> None:
    qemu = recorded("10.0", framing)
    ends = Ends.of(line_up(honest()).model_copy(update={"qemus": (qemu,)}), pairing(qemu.name, "zlib", framing))

    asked = ends.parts(Recorded(4096, (Sent(0, pages, memoryview(b"")),)), None)["sender"].asked

    assert ends.accelerators == {"sender": accelerator}
    assert (asked.least, asked.most) == (least, most)


def test_a_qemu_with_a_method_of_the_cpu_is_asked_for_nothing() -> None:
    qemu = recorded("10.0")
    ends = Ends.of(line_up(honest()).model_copy(update={"qemus": (qemu,)}), pairing(qemu.name, qemu.name, "zstd"))

    assert ends.parts(Recorded(4096, ()), None) == {}
    assert ends.provenance(()).sender == "software"


def test_without_a_proof_a_qemu_ran_as_its_method_does_without_the_device() -> None:
    qemu = recorded("10.0", "qatzip")
    ends = Ends.of(line_up(honest()).model_copy(update={"qemus": (qemu,)}), pairing(qemu.name, "zlib", "qatzip"))

    assert ends.provenance(()).sender == "vendor-software"
    assert ends.provenance(()).receiver is None
