"""Whole runs as processes, with few codecs and little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import jsonschema
import psutil
import yaml

from multifd.result import schema, store
from tests.cli.command import ROOT

CELL: Final = "wire/zlib/zlib~zlib/qemu-10.0/capture/mixed/4k/2ch"
MARK: Final = "MULTIFD_TEST_RUN"
"""Variable in the environment of a run's peers, and so in its plan: by it they are found again."""
LAUNCH: Final = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
import pytest
from multifd.memory import scratch
scratch._SHARED_MEMORY = Path(sys.argv[1])
sys.exit(pytest.main(sys.argv[2:]))
"""
"""pytest with scratch space of this run's own, so that what is left of it can be told from others'. It listens to
Ctrl-C also where these tests run in the background, whose processes are born deaf to it."""
PATIENCE: Final = 240.0
"""Seconds after which something that must happen has not."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until it holds."""
    expires = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < expires, "it did not happen"
        time.sleep(0.05)


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    output: str

    @property
    def complaint(self) -> str:
        """Its only line."""
        (line,) = self.output.splitlines()
        return line


class Conformance:
    """Runs of the suites with few codecs and little memory."""

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.results = directory / "results"
        self.scratch = scratch
        self.mark = str(directory)
        self.profile = directory / "few.yaml"
        self.choose("zlib", "zstd", "none")

    def choose(self, *codecs: str) -> None:
        """These peers take part."""
        peers = [{"codec": codec, "environment": {MARK: self.mark}} for codec in codecs]
        self.profile.write_text(yaml.safe_dump({"description": "few", "peers": peers}))

    def add_qemu(self, *command: str) -> None:
        """This one takes part too."""
        profile = yaml.safe_load(self.profile.read_text())
        entry = {"command": list(command), "name": "qemu-own", "environment": {MARK: self.mark}}
        self.profile.write_text(yaml.safe_dump({**profile, "qemu": [entry]}))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run; its workers are in its process group, its peers are not."""
        given = ["--hwprofile", str(self.profile), "--memory", "2M", "--results", str(self.results), *arguments]
        if "qemu" not in yaml.safe_load(self.profile.read_text()) and "--qemu" not in given:
            given += ["--qemu", "none"]
        python = str(Path(sys.executable).parent)
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(self.scratch), "-q", "-p", "no:cacheprovider", *given],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> Ended:
        """Run to the end; whatever it is, nothing is left of it but results."""
        ended = end(self.start("suites", *arguments))
        assert self.left() == []
        return ended

    def begun(self, *arguments: str) -> subprocess.Popen[str]:
        """A run with a few cells behind it and a thousand before it."""
        run = self.start("suites/wire", "suites/negotiation", *arguments)
        log = self.results / store.EVENTS
        wait_until(lambda: run.poll() is not None or (log.exists() and len(self.finished()) >= 3))
        return run

    def finished(self) -> dict[str, str]:
        """Verdicts of the cells whose records are in the event log."""
        events = store.read_events(self.results)
        return {event["cell"]["id"]: event["cell"]["verdict"] for event in events if event["event"] == "cell"}

    def read(self) -> dict[str, Any]:
        """results.json, which is as its schema says."""
        content: dict[str, Any] = json.loads((self.results / store.RESULTS).read_text())
        jsonschema.validate(content, schema.schema())
        return content

    def left(self) -> list[Path]:
        """Scratch directories."""
        return list(self.scratch.iterdir())

    def peers(self) -> list[int]:
        """Peer processes that are alive."""
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if self._is_mine(path)]

    def guests(self) -> list[int]:
        """QEMU processes that are alive and of this run."""
        return [pid for pid in self.peers() if "-qmp" in _command(pid)]

    def _is_mine(self, path: Path) -> bool:
        with suppress(OSError):
            return self.mark.encode() in path.read_bytes()
        return False


class OneCell(NamedTuple):
    """A run of :data:`CELL` that has ended."""

    conformance: Conformance
    ended: Ended


def _command(pid: int) -> list[str]:
    with suppress(psutil.Error):
        return psutil.Process(pid).cmdline()
    return []


def end(run: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    output, _ = run.communicate(timeout=PATIENCE)
    return Ended(run.returncode, output)
