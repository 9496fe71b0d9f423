"""Results to render: single cells for the specification, and one run of realistic size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from multifd.result.planned import plan_digest
from multifd.result.record import (
    Cell,
    Coverage,
    Finding,
    Peer,
    Provenance,
    Results,
    Role,
    Run,
    Seconds,
    Sides,
    Unable,
    UserContent,
)

PEERS: dict[str, Provenance] = {
    "zlib": "software",
    "zlib[level=9]": "software",
    "zlib-ng": "software",
    "isal": "software",
    "libdeflate": "software",
    "zstd": "software",
    "none": "software",
    "qpl": "vendor-software",
    "qpl[dynamic]": "vendor-software",
    "qatzip": "vendor-software",
    "iaa-emulated": "emulated",
    "qat-emulated": "emulated",
    "uadk-emulated": "emulated",
    "qemu-10.2": "software",
}
RECEIVERS = ("zlib", "zstd", "qpl", "qatzip", "iaa-emulated", "qat-emulated", "qemu-10.2")
FRAMINGS = ("none", "zlib", "zstd", "qpl", "qatzip", "zlib-packet[window=12]")
SIDES = tuple(product(("none", "zlib", "zstd", "qpl"), ("qemu-5.0", "qemu-9.1", "qemu-10.0")))


ENDS: dict[str, dict[str, str]] = {
    "pass": {"predicted": "identical", "observed": "identical"},
    "refused": {"predicted": "rejected", "observed": "rejected"},
    "hazard": {"predicted": "hazard", "observed": "hazard"},
    "fail": {"predicted": "identical", "observed": "identical", "kind": "invariant"},
    "known": {"predicted": "identical", "observed": "identical", "kind": "invariant"},
    "error": {"predicted": "identical", "observed": "broken"},
    "skip": {"predicted": "identical", "observed": "skipped"},
    "not-run": {"predicted": "identical", "observed": "not-run"},
}
"""What a verdict follows from."""


def cell(**changes: Any) -> Cell:
    """A cell of suite wire that passed, with ``changes``; its id, and what its verdict follows from, unless given."""
    fields: dict[str, Any] = {
        "suite": "wire",
        "sender": "zlib",
        "receiver": "isal",
        "framing": "zlib",
        "dialect": "qemu-10.0",
        "scenario": "matrix",
        "corpus": "text",
        "page_size": 4096,
        "channels": 2,
        "verdict": "pass",
        **ENDS[changes.get("verdict", "pass")],
        "reason": "the receiver accepts all that the sender emits",
        "provenance": Sides(sender="software", receiver="software"),
        "bytes_memory": 4 << 20,
        "bytes_wire": 1 << 20,
        "seconds": Seconds(encode=0.04, decode=0.02, wall=0.1),
        **changes,
    }
    parts = ("suite", "framing", "sender", "receiver", "dialect", "scenario", "corpus")
    fields.setdefault("id", "/".join(str(fields[part]) for part in parts))
    fields.setdefault("reproduce", f"tox -e conformance -- --cell '{fields['id']}'")
    return Cell(**fields)


def peer(name: str, provenance: Provenance) -> Peer:
    """A peer of the line-up with a few capabilities."""
    roles: tuple[Role, ...] = ("sender", "receiver") if name in RECEIVERS else ("sender",)
    device = {"qpl": "IAA", "qatzip": "QAT"}.get(name.partition("[")[0])
    capabilities = {"containers": ["raw", "zlib"], "window": 32768, "members": 1, "keeps_state": True}
    return Peer(
        name=name,
        kind="qemu" if name.startswith("qemu") else "codec",
        codec=None if name.startswith("qemu") else name.partition("[")[0],
        device=device,
        provenance=provenance,
        version="10.2.0" if name.startswith("qemu") else "1.3.1",
        roles=roles,
        capabilities=capabilities,
    )


def finding(**changes: Any) -> Finding:
    """A hazard of a QEMU, with ``changes``."""
    fields: dict[str, Any] = {
        "id": "mask-hides-qatzip",
        "component": "QEMU",
        "versions": "5.0 to 8.2",
        "severity": "corruption",
        "cause": "The flags mask 7<<1 hides 0x20, so that a QATZIP packet reads as one without compression.",
        "remedy": "Set the same method on both sides.",
        "upstream": None,
        "fixed_in": "9.2",
        "reproducer": None,
        "cells": (),
        "reproduce": "tox -e conformance",
        **changes,
    }
    return Finding(**fields)


def unable(**changes: Any) -> Unable:
    """A peer that cannot send zstd, with ``changes``."""
    fields: dict[str, Any] = {
        "framing": "zstd", "peer": "isal", "role": "sender", "reason": "it knows DEFLATE only", "tried": True,
        **changes,
    }  # fmt: skip
    return Unable(**fields)


def user_content(**changes: Any) -> UserContent:
    """2 MiB of three dumps, with ``changes``."""
    fields: dict[str, Any] = {
        "path": "/dumps", "files": 3, "bytes_there": 256 << 20, "bytes_taken": 2 << 20, "bytes_memory": 2 << 20,
        "zero_share": 0.289, "duplicate_share": 0.012,
        **changes,
    }  # fmt: skip
    return UserContent(**fields)


def results(
    *cells: Cell,
    complete: bool = True,
    findings: tuple[Finding, ...] = (),
    cannot: tuple[Unable, ...] = (),
    content: UserContent | None = None,
    recorded: str | None = None,
) -> Results:
    """A run of 83 seconds with ``cells`` and the whole line-up."""
    run = Run(
        id="2025-11-22T20:00:00Z-1b2c",
        started="2025-11-22T20:00:00Z",
        finished="2025-11-22T20:01:23Z" if complete else None,
        complete=complete,
        profile="software-only",
        host={
            **({} if recorded is None else {"recorded": recorded}),
            "cpu": "Intel Xeon Gold 6430",
            "cpus": 2,
            "kernel": "6.1.0",
            "accelerators": [],
        },
        versions={
            "multifd": "0.1.0",
            "python": "3.11.2",
            "zlib": "1.2.13",
            "libqpl": "1.9.0",
            "libqatzip": "2.0.0",
        },
        command="pytest suites --hwprofile software-only",
        plan=plan_digest(one.id for one in cells),
        seed=1,
        coverage=Coverage(cells=dict(Counter(one.suite for one in cells))),
        corpus=content,
    )
    peers = tuple(peer(name, provenance) for name, provenance in PEERS.items())
    return Results(run=run, peers=peers, unable=cannot, findings=findings, cells=cells)


def agreeing(run: Results) -> Results:
    """The same with what says it twice: a cell names the findings that have it, a finding has cells that are there."""
    named = {cell.id: tuple(each.id for each in run.findings if cell.id in each.cells) for cell in run.cells}
    return run.model_copy(
        update={
            "cells": tuple(each.model_copy(update={"issues": named[each.id]}) for each in run.cells),
            "findings": tuple(
                each.model_copy(update={"cells": cells})
                for each in run.findings
                if (cells := tuple(name for name in each.cells if name in named))
            ),
        }
    )


def realistic(*, with_failures: bool = True) -> Results:
    """About 3,000 cells: every verdict, several corpora per pairing, negotiation of 12 x 12, integrity."""
    cells = [*wire_cells(with_failures=with_failures), *negotiation_cells(), *integrity_cells()]
    hazards = tuple(c.id for c in cells if c.issues)
    shown = finding(cells=hazards, reproduce=f"tox -e conformance -- --cell '{hazards[0]}'")
    return results(*cells, findings=(shown,), cannot=(unable(peer="own"), unable(peer="own", role="receiver")))


def wire_cells(*, with_failures: bool) -> Iterator[Cell]:
    """6 framings x 14 senders x 7 receivers x 4 corpora."""
    for number, (framing, sender, receiver, corpus) in enumerate(
        product(FRAMINGS, PEERS, RECEIVERS, ("text", "zero", "random", "mixed"))
    ):
        place: dict[str, Any] = {
            "framing": framing,
            "sender": sender,
            "receiver": receiver,
            "corpus": corpus,
            "provenance": Sides(sender=PEERS[sender], receiver=PEERS[receiver]),
            "bytes_wire": (1 << 20) + 9000 * len(sender),
        }
        if with_failures and number % 401 == 400:
            yield cell(
                **place,
                observed="rejected",
                verdict="fail",
                kind="wrong-error",
                reason="rejected as predicted, but the error is not the one of this framing",
                error="multifd 1: inflate returned -3 instead of 1",
            )
        elif with_failures and number % 997 == 500:
            yield cell(
                **place,
                verdict="fail",
                kind="corrupt",
                reason="12 of 1024 pages differ, first at offset 0x3f000",
            )
        elif with_failures and number == 700:
            yield cell(**place, observed="broken", verdict="error", reason="the peer's host ran out of memory")
        elif receiver == "iaa-emulated" and framing == "zlib" and sender != "iaa-emulated":
            yield cell(
                **place,
                predicted="rejected",
                observed="rejected",
                verdict="refused",
                reason="distances reach 32768, the receiver's window is 4096",
                error="inflate: distance 4097 > 4096",
            )
        elif framing == "qatzip" and receiver == "qpl" and corpus != "zero":
            yield cell(
                **place,
                predicted="hazard",
                verdict="hazard",
                reason="the decoder stops after the first member and reports success",
            )
        elif framing == "zstd" and not sender.startswith(("zstd", "qemu")):
            yield cell(
                **place,
                predicted="rejected",
                observed="skipped",
                verdict="skip",
                reason="the sender cannot emit zstd; choose --hwprofile with a zstd sender",
            )
        elif framing == "qpl" and receiver == "qatzip":
            yield cell(
                **place,
                observed="rejected",
                verdict="known",
                reason="software-made raw deflate is refused",
                error="qzDecompress: -4",
            )
        else:
            yield cell(**place)


def negotiation_cells() -> Iterator[Cell]:
    """Method @ dialect of both sides, and two scenarios beside the main one."""
    for (method, dialect), (other, peer_dialect) in product(SIDES, SIDES):
        same = method == other
        hazard = not same and method == "qpl" and peer_dialect == "qemu-5.0"
        yield cell(
            suite="negotiation",
            scenario="live",
            framing=method if same else f"{method}>{other}",
            dialect=dialect if dialect == peer_dialect else f"{dialect}>{peer_dialect}",
            sender=method,
            receiver=other,
            predicted="hazard" if hazard else "identical" if same else "rejected",
            observed="identical" if same or hazard else "rejected",
            verdict="hazard" if hazard else "pass" if same else "refused",
            reason="the receiver's mask hides the flag" if hazard else "the flags field names the method",
            issues=("mask-hides-qatzip",) if hazard else (),
            error=None if same or hazard else "multifd 0: flags received 2 flags expected 4",
            provenance=Sides(sender=PEERS[method], receiver=PEERS[other]),
        )
    for scenario, method in product(("init-version-2", "splice"), ("zlib", "zstd", "none")):
        yield cell(suite="negotiation", scenario=scenario, framing=method, sender=method, receiver=method)


def integrity_cells() -> Iterator[Cell]:
    """Framing by scenario and corpus."""
    for framing, scenario, corpus in product(FRAMINGS, ("bit-flip", "truncated", "swapped"), ("text", "random")):
        wrong = scenario == "bit-flip" and framing in ("none", "qpl")
        yield cell(
            suite="integrity",
            framing=framing,
            scenario=scenario,
            corpus=corpus,
            receiver="iaa-emulated",
            provenance=Sides(sender="software", receiver="emulated"),
            predicted="hazard" if wrong else "rejected",
            observed="hazard" if wrong else "rejected",
            verdict="hazard" if wrong else "refused",
            reason="raw deflate has no checksum" if wrong else "the checksum differs",
        )
