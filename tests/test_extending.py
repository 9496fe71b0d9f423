"""Adding things: what docs/extending.md says is done in a copy, counted, planned and run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

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

    @property
    def section(self) -> str:
        """What the page says of it."""
        return next(text for text in PAGE.split("\n## ") if text.startswith(f"A {self.kind}\n"))


TOYS: Final = (
    Toy("framing", 1, "wire/toy-packet/zlib~zlib/", "identical"),
    Toy("dialect", 1, "/qemu-12.0/live/", "identical"),
    Toy("fault", 1, "/fault-toy", "rejected"),
    Toy("codec", 3, "wire/zlib/toy~zlib/", "identical"),
    Toy("scenario", 2, "/toy/", "identical"),
    Toy("device", 5, "wire/zlib-packet[window=15]/toy-emulated~zlib/", "identical"),
)
PROFILE: Final = """\
description: the toys beside zlib
devices: {toy: {policy: use}}
peers: [{codec: zlib}, {codec: toy}]
"""
SHIPPED: Final = "from multifd.profile.load import load; print(*(peer.codec for peer in load('auto').peers))"


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

    def content(self) -> dict[str, bytes]:
        """Every file that is there."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}

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


class Extended(NamedTuple):
    """All toys in one copy, one after another."""

    copy: Copy
    touched: dict[str, set[str]]
    """Files that are new, or not what they were, by the kind of toy."""
    explained: dict[str, dict[str, Any]]
    """The plan, by cell."""
    options: tuple[str, ...]

    def cell(self, toy: Toy) -> str:
        """The first that there is only with it, and is predicted as it should be."""
        found = (name for name, said in self.explained.items() if toy.cells in name)
        return next(name for name in found if self.explained[name]["predicted"] == toy.predicted)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Extended:
    directory = tmp_path_factory.mktemp("extended")
    copy, touched = Copy(directory / "copy"), {}
    content = copy.content()
    for toy in TOYS:
        copy.extend(toy)
        before, content = content, copy.content()
        touched[toy.kind] = {name for name, text in content.items() if before.get(name) != text}
    profile = directory / "toys.yaml"
    profile.write_text(PROFILE, encoding="utf-8")
    options = ("--hwprofile", str(profile), "--qemu", "none")
    lines = copy.python("-m", "multifd.cli.main", "explain", "*", "--json", *options).splitlines()
    return Extended(copy, touched, {said["id"]: said for said in map(json.loads, lines)}, options)


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.kind)
def test_a_further_one_touches_few_files(toy: Toy, extended: Extended) -> None:
    assert 0 < len(extended.touched[toy.kind]) <= toy.limit, extended.touched[toy.kind]


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.kind)
def test_a_further_one_is_planned_and_explained(toy: Toy, extended: Extended) -> None:
    said = extended.explained[extended.cell(toy)]

    assert said["reason"]
    assert said["chain"]


def test_further_ones_are_run(extended: Extended, tmp_path: Path) -> None:
    cells = [extended.cell(toy) for toy in TOYS]
    # pytest reads neither ~ nor = in an expression: what stands on both sides of them is looked for.
    chosen = " or ".join(f"({re.sub('[~=]', ' and ', cell)})" for cell in cells)

    extended.copy.python("-m", "pytest", "suites", "-n0", *extended.options, "-k", chosen, "--results", str(tmp_path))

    ran = {cell["id"]: cell["verdict"] for cell in json.loads((tmp_path / "results.json").read_text())["cells"]}
    verdicts = {"identical": "pass", "rejected": "refused"}
    assert {cell: ran.get(cell) for cell in cells} == {
        cell: verdicts[toy.predicted] for cell, toy in zip(cells, TOYS, strict=True)
    }


def test_a_further_codec_is_in_the_shipped_profile(extended: Extended) -> None:
    assert "toy" in extended.copy.python("-c", SHIPPED).split()


def test_without_a_toy_nothing_is_touched(tmp_path: Path) -> None:
    content = Copy(tmp_path).content()

    assert {name for name, text in content.items() if (ROOT / name).read_bytes() != text} == set()
