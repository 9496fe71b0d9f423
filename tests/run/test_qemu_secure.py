"""TLS, refusals and -global with real QEMUs, one cell of each kind; and whatever is wrong in one of them is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from multifd.oracle.predict import predict
from multifd.oracle.rules import RULES
from multifd.plan import pairings
from multifd.qemu.guest import Guest
from multifd.qemu.migration import Course, watch
from multifd.qemu.tls import Credential, Store
from multifd.result.known import findings, shipped
from multifd.run.qemu import bench as running
from multifd.run.qemu.setting import Setting
from tests.liars.court import altered
from tests.qemu.host import QEMU, needs_qemu
from tests.run.test_qemu import Lab

pytestmark = needs_qemu


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        lab = Lab(Path(directory), QEMU)
        yield lab
        lab.bench.close()


# What works


@pytest.mark.parametrize("scenario", ["tls-x509", "tls-psk", "tls-tcp", "global"])
def test_a_guest_arrives(scenario: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell("zlib", "Q~Q", scenario))


@pytest.mark.parametrize(
    ("pairing", "scenario"), [("Q~zlib", "tls-x509"), ("Q~zlib", "tls-splice"), ("zlib~Q", "tls-splice")]
)
def test_peers_of_ours_have_tls_before_and_behind_them(pairing: str, scenario: str, lab: Lab) -> None:
    assert lab.arrives(lab.cell("zlib", pairing, scenario))


# What is refused


@pytest.mark.parametrize(
    ("methods", "scenario", "said"),
    [
        ("zlib", "tls-expired-checked", "The server certificate"),
        ("zlib", "tls-hostname", "Certificate does not match the hostname"),
        ("zlib", "tls-anonymous", "Verify failed: No certificate was found"),
        ("zlib", "tls-other-key", "An illegal parameter has been received"),
        ("qpl", "lacking", "Parameter 'multifd-compression' does not accept value 'qpl'"),
        ("qpl", "lacking-global", "can't apply global migration.multifd-compression=qpl"),
        ("zlib", "level-beyond-global", "expects a value between 0 and 9"),
        ("zlib", "with-background-snapshot", "Background-snapshot is not "),
        ("zlib", "with-zero-copy-send", "Zero copy only available"),
    ],
)
def test_what_is_refused_is_refused_in_its_words(methods: str, scenario: str, said: str, lab: Lab) -> None:
    record = lab.outlived(lab.cell(methods, "Q~Q", scenario))

    assert (record.observed, record.verdict) == ("rejected", "refused"), record.reason
    assert said in (record.error or "")


def test_who_is_left_when_one_dies_at_the_handshake_says_so(lab: Lab) -> None:
    records = [lab.outlived(lab.cell("zlib", "Q~Q", f"tls-{end}-killed")) for end in ("source", "destination")]

    assert [record.verdict for record in records] == ["refused", "refused"]
    assert all("TLS handshake failed" in (record.error or "") for record in records)


def test_a_qemu_that_waits_at_the_handshake_and_answers_no_more_is_known(lab: Lab) -> None:
    record = lab.outlived(lab.cell("zlib", "Q~Q", "tls-destination-stopped"))

    assert (record.observed, record.verdict) == ("hang", "known")
    assert [finding.id for finding in findings([record], shipped())] == ["qemu-tls-handshake-blocks"]


# What is wrong is seen


@pytest.mark.parametrize(
    ("rule", "scenario"),
    [("told", "with-zero-copy-send"), ("trust", "tls-hostname"), ("interrupted", "tls-source-killed")],
)
def test_without_the_rule_the_cell_fails(rule: str, scenario: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    true = lab.cell("zlib", "Q~Q", scenario)
    assert true.prediction.rule == rule
    mutated = predict(
        pairings.question(true.pairing, lab.qemu, lab.qemu), [each for each in RULES if each.name != rule]
    )

    record = lab.outlived(true.model_copy(update={"prediction": mutated}))

    assert (record.observed, record.verdict, record.kind) == ("rejected", "fail", "wrong-error")


def test_a_certificate_that_is_right_after_all_is_seen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Store.directory
    monkeypatch.setattr(Store, "directory", lambda store, _, side: made(store, Credential.X509, side))

    record = lab.outlived(lab.cell("zlib", "Q~Q", "tls-expired"))

    assert (record.observed, record.verdict, record.kind) == ("identical", "fail", "accepted")


def test_a_qemu_that_was_not_started_with_what_it_should_be_is_seen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setting, "arguments", lambda ends, side: ())

    record = lab.outlived(lab.cell("zlib", "Q~Q", "global"))

    assert (record.observed, record.verdict) == ("rejected", "fail")
    assert "was started with multifd=True, and has False" in (record.error or "")


def test_a_destination_in_the_clear_that_waits_is_no_refusal(lab: Lab) -> None:
    record = lab.outlived(altered(lab.cell("zlib", "Q~Q", "migrate"), receiver_channels=3))

    assert record.observed == "hang"


def test_a_destination_that_does_not_say_why_is_seen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guest, "log", property(lambda guest: ""))

    record = lab.outlived(lab.cell("zlib", "Q~Q", "tls-anonymous"))

    assert (record.observed, record.verdict, record.kind) == ("rejected", "fail", "wrong-error")


def test_a_destination_that_has_let_something_in_after_all_is_seen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scribbled(*ends: Any, **how: Any) -> Course:
        course = await watch(*ends, **how)
        for ram in lab.scratch.rglob("destination.ram"):
            with ram.open("r+b") as file:
                file.write(b"something")
        return course

    monkeypatch.setattr(running, "watch", scribbled)

    record = lab.outlived(lab.cell("zlib", "Q~Q", "tls-anonymous"))

    assert record.verdict == "fail"
