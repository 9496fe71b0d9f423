"""The documentation: every command that it shows exists, every link and path leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest

import bootstrap
from multifd.cli.main import app
from multifd.cli.run import run

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES: Final = sorted(path for room in ("multifd", "fixtures", "reports") for path in (ROOT / room).rglob("*.py"))

BLOCK: Final = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN: Final = re.compile(r"`([^`]+)`")
LINK: Final = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
OURS: Final = re.compile(r"(?:multifd|fixtures|suites|reports|tests|docs|benchmarks|examples|hwprofiles)/[\w./-]+")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Shown(NamedTuple):
    """A command as a page shows it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def code(text: str) -> Iterator[str]:
    """Lines of code blocks, and what stands between single backticks, which may go over the end of a line."""
    for block in BLOCK.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from (" ".join(span.split()) for span in SPAN.findall(BLOCK.sub("", text)))


def shown(*programs: str) -> list[Shown]:
    """The commands of these programs on all pages, without comments, each once for a page."""
    found = [
        Shown(path.name, tuple(shlex.split(line, comments=True)))
        for path in PAGES
        for line in code(path.read_text(encoding="utf-8"))
        if f"{line} ".startswith(tuple(f"{program} " for program in programs))
    ]
    return list(dict.fromkeys(found))


def options(words: Sequence[str]) -> list[str]:
    """The options among words."""
    return [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]


@cache
def help_of(module: str) -> str:
    """What ``python -m MODULE --help`` says."""
    command = [sys.executable, "-m", module, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_commands_are_found_in_blocks_and_in_prose() -> None:
    text = "A `multifd report\nDIR` and\n\n```sh\nmultifd diff \\\n  A B   # two\n```\n"

    assert list(code(text)) == ["multifd diff    A B   # two", "multifd report DIR"]


@pytest.mark.parametrize("command", shown("multifd"), ids=str)
def test_every_command_of_multifd_exists_with_its_options(command: Shown, pytestconfig: pytest.Config) -> None:
    context, words = click.Context(app, info_name="multifd", **app.context_settings), list(command.words[1:])
    while words and isinstance(context.command, click.Group) and not words[0].startswith("-"):
        name, found, words = context.command.resolve_command(context, words)
        assert found is not None
        context = click.Context(found, context, name)

    known = {name for parameter in context.command.get_params(context) for name in parameter.opts}
    for option in options(words):
        if context.command is run and option not in known:
            pytestconfig.getoption(option)
        else:
            assert option in known


@pytest.mark.parametrize("command", shown("python3 bootstrap.py", "python bootstrap.py"), ids=str)
def test_every_environment_exists_and_pytest_knows_its_options(command: Shown, pytestconfig: pytest.Config) -> None:
    environment, *words = command.words[2:]

    assert environment in bootstrap.ENVIRONMENTS
    for option in options(words):
        pytestconfig.getoption(option)


@pytest.mark.parametrize("command", shown("tox run"), ids=str)
def test_every_environment_of_tox_exists(command: Shown) -> None:
    *_, environment = command.words
    name, _, factor = environment.partition("-")

    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert re.search(rf"^\[testenv:{name}(?:\]|\{{.*-{factor}\b)", tox, re.MULTILINE)


@pytest.mark.parametrize("command", shown("python -m"), ids=str)
def test_every_module_that_is_run_exists_with_its_options(command: Shown) -> None:
    module, *words = command.words[2:]

    assert importlib.util.find_spec(module) is not None
    for option in options(words):
        assert option in help_of(module)


PROGRAMS: Final = tuple(f"python benchmarks/{name}.py" for name in ("migration", "page", "sparse", "tap", "wire"))


@pytest.mark.parametrize("command", shown(*PROGRAMS), ids=str)
def test_every_program_that_is_run_exists_with_its_options(command: Shown) -> None:
    module = command.words[1].removesuffix(".py").replace("/", ".")

    for option in options(command.words[2:]):
        assert option in help_of(module)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_option_named_by_itself_exists(page: Path, pytestconfig: pytest.Config) -> None:
    known = {option for command in commands(app) for parameter in command.params for option in parameter.opts}

    for span in code(page.read_text(encoding="utf-8")):
        if span.startswith("--") and (option := span.split()[0]) not in known:
            pytestconfig.getoption(option)


def commands(group: click.Group) -> Iterator[click.Command]:
    """A group's commands, and theirs."""
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def named(path: Path) -> Iterator[str]:
    """Paths of ours in a file."""
    text = path.read_text(encoding="utf-8")
    spans = code(text) if path.suffix == ".md" else re.findall(r"\b(?:docs/[\w-]+\.md|examples/[\w./-]+\.\w+)", text)
    return (span for span in spans if OURS.fullmatch(span) and "/toy" not in span)


def test_every_path_of_ours_that_is_named_exists() -> None:
    paths = [(path.relative_to(ROOT), span) for path in (*PAGES, *SOURCES) for span in named(path)]

    assert len(paths) > 50
    assert [f"{where}: {span}" for where, span in paths if not (ROOT / span).exists()] == []
