"""Adding things: what docs/extending.md says is done in a copy, counted, planned and run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = (ROOT / "docs/extending.md").read_text(encoding="utf-8")

EDIT: Final = re.compile(r"^(?:In|New file) `([^`]+)`(?:, before `([^`]+)`)?:\n\n```\w+\n(.*?)^```$", re.M | re.S)
COMMANDS: Final = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


class Toy(NamedTuple):
    """The example of one section of the page."""

    kind: str
    limit: int
    """Files that it may touch."""
    cells: str
    """Part of the ids of cells that there are only with it."""
    predicted: str
    profile: str | None = None
    """A shipped one that it takes part in; whatever needs no peer of its own is shown with zlib alone."""

    @property
    def section(self) -> str:
        """What the page says of it."""
        return next(text for text in PAGE.split("\n## ") if text.startswith(f"A {self.kind}\n"))


TOYS: Final = (
    Toy("framing", 1, "wire/toy-packet/zlib~zlib/", "identical"),
    Toy("dialect", 1, "negotiation/zlib/zlib~zlib/qemu-12.0/live/", "identical"),
    Toy("fault", 1, "/fault-toy", "rejected"),
    Toy("codec", 3, "wire/zlib/toy~zlib/", "identical", "auto"),
    Toy("scenario", 2, "/toy/", "identical"),
    Toy("device", 5, "wire/zlib-packet[window=15]/toy-emulated~zlib/", "identical", "auto"),
)


class Copy:
    """The repository's tracked files, somewhere else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        tracked = self._answer("git", "ls-files", where=ROOT).splitlines()
        for name in tracked:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)

    def extend(self, toy: Toy) -> None:
        """Do what the page says: its edits, then its commands."""
        for name, before, text in EDIT.findall(toy.section):
            file = self.root / name
            if not before:
                assert not file.exists()
                file.write_text(text, encoding="utf-8")
                continue
            content, anchor = file.read_text(encoding="utf-8"), before.replace("\\n", "\n")
            assert content.count(anchor) == 1, f"{name}: {before}"
            at = content.index(anchor)
            inserted = text if content[at - 1] == "\n" else text.removesuffix("\n")
            file.write_text(content[:at] + inserted + content[at:], encoding="utf-8")
        for line in "".join(COMMANDS.findall(toy.section)).splitlines():
            self.python(*shlex.split(line)[1:])

    def touched(self) -> set[str]:
        """Files that are new, or not what they were."""
        found = {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}
        return {
            name
            for name in found
            if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != (self.root / name).read_bytes()
        }

    def python(self, *arguments: str) -> str:
        """Run Python in the copy; what it prints."""
        return self._answer(sys.executable, *arguments, where=self.root)

    @cached_property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}

    def _answer(self, *command: str, where: Path) -> str:
        done = subprocess.run(command, cwd=where, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.mark.parametrize("toy", TOYS)
def test_a_further_one_touches_few_files_and_is_planned_and_run(toy: Toy, tmp_path: Path) -> None:
    copy = Copy(tmp_path / "copy")
    multifd = ("-m", "multifd.cli.main")
    alone = tmp_path / "alone.yaml"
    alone.write_text("description: zlib alone\npeers: [{codec: zlib}]\n", encoding="utf-8")
    profile = ("--hwprofile", toy.profile or str(alone), "--qemu", "none")

    copy.extend(toy)
    touched = copy.touched()
    planned = [line.split() for line in copy.python(*multifd, "cells", toy.cells, *profile).splitlines()]

    assert toy.predicted in {predicted for predicted, _ in planned}
    cell = next(cell for predicted, cell in planned if predicted == toy.predicted)
    assert f"predicted {toy.predicted}" in copy.python(*multifd, "explain", cell, *profile)
    assert "1 passed" in copy.python("-m", "pytest", "suites", "-n0", *profile, "--cell", cell)
    assert len(touched) <= toy.limit, touched


def test_without_a_toy_nothing_is_touched(tmp_path: Path) -> None:
    assert Copy(tmp_path).touched() == set()
