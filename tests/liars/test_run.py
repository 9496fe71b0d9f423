"""A whole conformance run against liars, from the command line to results.json and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from multifd.profile.model import PeerEntry
from tests.liars.court import ROOT, entry, running

HONEST: Final = PeerEntry(codec="zlib")
CELLS: Final = "wire/gzip-packet/zlib~{}/"


def conformance(directory: Path, peers: Sequence[PeerEntry], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suites with a profile of these peers; results go to ``directory / "results"``."""
    profile = directory / "profile.yaml"
    content = {
        "description": "liars",
        "peers": [peer.model_dump(mode="json", exclude_defaults=True) for peer in peers],
        "deadlines": {"hello": 20, "request": 4},
    }
    profile.write_text(yaml.safe_dump(content))
    options = ["--hwprofile", str(profile), "--qemu", "none", "--memory", "2M", "--results", str(directory / "results")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "-q", "-p", "no:cacheprovider", *options, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def recorded(directory: Path) -> dict[str, dict[str, Any]]:
    """The records of a run by cell."""
    results = json.loads((directory / "results" / "results.json").read_text())
    return {cell["id"]: cell for cell in results["cells"]}


def test_each_liar_fails_in_its_own_way_and_the_honest_pairing_passes(tmp_path: Path) -> None:
    liars = ("corrupts-a-bit", "crashes-in-decode", "hangs-in-decode", "says-hardware")
    peers = [HONEST, *(entry(lie, roles=["receiver"]) for lie in liars)]

    run = conformance(tmp_path, peers, "-k", "test_pairing and gzip-packet")

    assert run.returncode == 1, run.stdout
    records = recorded(tmp_path)
    found = {
        name: next(record for cell, record in records.items() if cell.startswith(CELLS.format(name)))
        for name in ("zlib", *liars)
    }
    assert {name: (cell["verdict"], cell["kind"]) for name, cell in found.items()} == {
        "zlib": ("pass", None),
        "corrupts-a-bit": ("fail", "corrupt"),
        "crashes-in-decode": ("fail", "crash"),
        "hangs-in-decode": ("fail", "hang"),
        "says-hardware": ("fail", "unproven"),
    }
    assert found["says-hardware"]["device_verdict"] == "unproven"
    assert [lie for lie in liars if running(lie)] == []
