"""Why no packet of a cell that went wrong is shown, and what to run to learn more."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.result.record import Invariants
from reports.unnamed import unnamed
from tests.reports.builder import cell


def said(**changes: Any) -> tuple[str, tuple[str, ...]]:
    """Of a red cell of suite ``qemu``."""
    fields = {
        "id": "qemu/a[b]", "suite": "qemu", "verdict": "fail", "kind": "crash", "observed": "crash",
        "invariants": Invariants(),
        "reproduce": "python3 bootstrap.py conformance --cell 'qemu/a[b]' --qemu 'ld.so qemu' --memory 64M",
    }  # fmt: skip
    found = unnamed(cell(**{**fields, **changes}), ())
    assert found is not None
    return found


@pytest.mark.parametrize("verdict", ["pass", "refused", "skip", "not-run", "error"])
def test_of_what_did_not_go_wrong_nothing_is_missed(verdict: str) -> None:
    assert unnamed(cell(suite="qemu", verdict=verdict), ()) is None


@pytest.mark.parametrize("suite", ["vendor", "fidelity", "probe", "flips"])
def test_what_has_no_wire_has_no_packet(suite: str) -> None:
    assert unnamed(cell(suite=suite, verdict="fail"), ()) is None


def test_where_packets_are_shown_there_is_nothing_to_say() -> None:
    assert unnamed(cell(suite="qemu", verdict="fail"), ("packet 3",)) is None


def test_a_real_qemu_is_run_again_and_recorded_with_the_options_that_it_had() -> None:
    why, commands = said()

    assert "a real QEMU names none, and the tap between the two ends keeps nothing" in why
    assert commands == (
        "multifd bundle 'qemu/a[b]' --qemu 'ld.so qemu' --memory 64M -o cell.tar.gz", "multifd dissect cell.tar.gz"
    )  # fmt: skip


def test_what_the_tap_saw_tells_headers_from_payloads() -> None:
    assert said()[0].endswith("nothing there leads to a packet.")
    assert said(invariants=Invariants(broken=("flags is 4",)))[0].endswith("with its channel and packet.")


def test_what_went_over_tls_the_tap_has_not_looked_into() -> None:
    why, commands = said(invariants=Invariants(unseen=("connection 0: TLS", "connection 1: TLS")))

    assert "could not look into TLS" in why
    assert "are what the sender was told to send" not in why
    assert [command.split()[1] for command in commands] == ["bundle"]


def test_of_what_the_tap_did_not_see_it_says_nothing() -> None:
    why, _ = said(invariants=Invariants(unseen=("connection 1: the receiver was gone before its end",)))

    assert why.endswith("what it did not look at stands above.")


def test_where_memory_arrived_no_packet_is_at_fault() -> None:
    assert said(kind="accepted", observed="identical") == ("Memory arrived identical: no packet is at fault.", ())


def test_what_is_recorded_already_is_only_looked_at() -> None:
    why, commands = said(artifacts=("exhibits/qemu/a/source.words.json", "captures/qemu/a"))

    assert why.startswith("What was sent is recorded.")
    assert commands == ("multifd dissect captures/qemu/a",)


def test_words_of_a_qemu_are_no_recording() -> None:
    assert "keeps nothing" in said(artifacts=("exhibits/qemu/a/source.words.json",))[0]


def test_where_no_tap_stands_nothing_that_is_run_could_say_it() -> None:
    why, commands = said(invariants=None, scenario="cancel-active")

    assert why.startswith("Which packet it was cannot be known")
    assert [command.split()[1] for command in commands] == ["bundle"]


def test_a_recorded_fault_is_named_by_its_scenario() -> None:
    why, commands = said(invariants=None, scenario="recorded-fault-lost[r2-last-c1]")

    assert "one fault, which the scenario names" in why
    assert [command.split()[1] for command in commands] == ["bundle"]


def test_between_peers_of_ours_it_may_be_that_nobody_says_where() -> None:
    why, commands = said(suite="negotiation", invariants=None)

    assert why.startswith("No packet can be named")
    assert len(commands) == 2


def test_a_command_that_is_none_of_ours_costs_its_options_only() -> None:
    assert said(reproduce="it's a secret")[1][0] == "multifd bundle 'qemu/a[b]' -o cell.tar.gz"
