"""What was not checked is said before anything else, with its remedy."""

from __future__ import annotations

from typing import Any

from multifd.result.record import DeviceWork, Invariants, Peer, Results
from reports.lacking import lacking
from reports.vocabulary import NO_QEMU, RECORDED
from tests.reports.builder import cell, results


def said(run: Results) -> str:
    """All of it as one text."""
    return "\n".join(lacking(run, ()))


def peers(*kinds: tuple[str, str | None, str]) -> tuple[Peer, ...]:
    """Peers by name, device and provenance."""
    fixed: dict[str, Any] = {"codec": None, "version": "1", "roles": (), "capabilities": {}}
    return tuple(
        Peer.model_validate(
            {"name": name, "kind": "qemu" if name.startswith("qemu") else "codec", "device": device,
             "provenance": provenance, **fixed}
        )
        for name, device, provenance in kinds
    )  # fmt: skip


def test_cells_that_were_not_run_are_counted_by_suite() -> None:
    left = [cell(id=f"c{k}", suite=s, verdict="not-run") for k, s in enumerate(("wire", "wire", "qemu"))]

    assert "3 cells of 4 were planned and not run: 2 of suite wire, 1 of suite qemu." in said(results(cell(), *left))


def test_what_stood_in_for_an_accelerator_is_named() -> None:
    run = results(cell()).model_copy(
        update={"peers": peers(("qpl", "IAA", "vendor-software"), ("iaa-emulated", "IAA", "emulated"))}
    )

    assert said(run).startswith(
        "No accelerator took part. In its place: IAA (the vendor library's own CPU path, our model of the silicon)."
    )


def test_an_accelerator_that_took_part_lacks_nothing() -> None:
    run = results(cell()).model_copy(
        update={"peers": peers(("qpl", "IAA", "hardware"), ("iaa-emulated", "IAA", "emulated"))}
    )

    assert "accelerator" not in said(run)


def test_one_accelerator_does_not_stand_for_another() -> None:
    run = results(cell()).model_copy(
        update={"peers": peers(("qpl", "IAA", "hardware"), ("qatzip", "QAT", "vendor-software"))}
    )

    assert "No QAT took part. In its place: QAT (the vendor library's own CPU path)." in said(run)
    assert "No accelerator" not in said(run)


def test_work_that_nobody_counted_is_told_with_the_reason() -> None:
    work = DeviceWork(
        end="sender", device="IAA", asked=7, counted=None, source="PMU", verdict="unverified", why="no PMU"
    )

    text = said(results(cell(device_verdict="unverified", device=(work,))))

    assert "In 1 cell nothing says whether the accelerator did the work, for example: no PMU." in text
    assert "nothing says" not in said(results(cell(device_verdict="proven")))


def test_devices_of_a_recorded_host_are_taken_for_nothing_else() -> None:
    assert RECORDED[1:] in said(results(cell(), recorded="/hosts/gen4"))
    assert RECORDED[1:] not in said(results(cell()))


def test_without_a_real_qemu_the_remedy_is_told() -> None:
    run = results(cell()).model_copy(update={"peers": ()})

    assert NO_QEMU[1:] in said(run)


def test_a_run_of_probes_alone_misses_no_real_qemu() -> None:
    run = results(cell(suite="probe")).model_copy(update={"peers": ()})

    assert NO_QEMU[1:] not in said(run)


def test_releases_of_which_no_qemu_took_part_are_named() -> None:
    seen = cell(suite="qemu", sender="qemu-7.2", receiver="qemu-10.0", dialect="qemu-5.0>qemu-10.0")
    run = results(seen).model_copy(
        update={"peers": peers(("qemu-7.2", None, "software"), ("qemu-10.0", None, "software"))}
    )

    assert "No real QEMU 9.0, 9.1, 9.2: our own sender and receiver stand for it" in said(run)


def test_skips_are_told_by_reason_and_many_reasons_are_summed_up() -> None:
    skips = [cell(id=f"c{k}", verdict="skip", reason=f"reason {k}; remedy {k}") for k in range(12)]

    text = said(results(*skips, cell(id="twice", verdict="skip", reason="reason 3; remedy 3")))

    assert "2 cells skipped: reason 3; remedy 3" in text
    assert "4 cells skipped for 4 other reasons." in text


def test_streams_that_were_not_looked_at_are_counted() -> None:
    blind = cell(id="blind", invariants=Invariants(unseen=("channel 1: encrypted",)))

    assert "In 1 cell part of the stream was not looked at, and each says which." in said(results(cell(), blind))
    assert "not looked at" not in said(results(cell(invariants=Invariants())))
