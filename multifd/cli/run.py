"""``multifd run``: the suites."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from click.core import ParameterSource

from multifd.campaign.options import default_results
from multifd.cli import completing
from multifd.cli.plans import SUITES, planning
from multifd.errors import EnvironmentBroke
from multifd.process.child import stop_with_us
from multifd.process.python import ROOT, python, same_path
from multifd.result import store
from multifd.result.record import Results
from reports import tap

_SUITES: Final = ROOT / "suites"
_USUAL: Final = ("-q", "-n", "auto", "--dist", "loadgroup")
"""What ``tox -e conformance`` gives pytest besides."""
_PLUGIN: Final = "fixtures.plugin"
"""Loaded first, so that pytest knows our options: it takes what follows one that it does not know for a path of tests,
and executes the ``conftest.py`` beside it."""
_ENVIRONMENT: Final[Mapping[str, str]] = {"PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"}
"""As tox has it."""
_OURS: Final = ("suites", "as_tap", "as_json", "more")
"""Parameters that pytest does not know."""
_PYTESTS: Final = {4: 2}
"""pytest's own exit code for an option that it does not know, in the contract's."""
_BROKE: Final = 3
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What stops a run."""


@click.command(context_settings={"ignore_unknown_options": True})
@planning
@click.option("--suite", "suites", multiple=True, type=click.Choice(SUITES), help="Only this suite; repeatable.")
@click.option("--cell", metavar="ID", help="Exactly this cell again.", shell_complete=completing.cells)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where results and reports go; build/conformance of the project by default, build/cells/ID with --cell.",
)
@click.option("--shard", metavar="I/N", help="The I-th of N parts of it; multifd merge makes one run of them.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run there, with the same options: what was not run is, and what broke is run again.",
)
@click.option("--record", metavar="DIR", help="Leave a capture of every migration over sockets.")
@click.option("--no-allure", is_flag=True, help="Write no results for Allure.")
@click.option("--tap", "as_tap", is_flag=True, help="At the end the cells in the Test Anything Protocol, on stdout.")
@click.option("--json", "as_json", is_flag=True, help="At the end the outcome as one JSON object, on stdout.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST OPTION]...")
@click.pass_context
def run(
    context: click.Context, /, *, suites: tuple[str, ...], cell: str | None, results: Path | None, resume: Path | None,
    as_tap: bool, as_json: bool, more: tuple[str, ...], **_: Any,
) -> None:  # fmt: skip
    """Run every cell of the plan, and write results and reports: the main job.

    It is what python3 bootstrap.py conformance runs. Progress is said
    on stderr, and at the end where the report is. Any other option goes to pytest: -k EXPRESSION for the cells whose
    ids have its words (none with ~ or =, which pytest does not take there), -x to end at the first that goes wrong,
    -n 0 for no workers.

    Exit codes: 0 conforming, 1 not conforming, 2 usage or input, 3 the environment broke or the run was stopped.
    """  # fmt: skip
    directory = (resume or results or default_results(ROOT, cell)).resolve()
    before = _stamp(directory)
    apart = as_tap or as_json
    command = python(
        "-m",
        "fixtures",
        "-c",
        str(ROOT / "pyproject.toml"),
        "-p",
        _PLUGIN,
        *_tests(suites),
        *_USUAL,
        *_given(context),
        *more,
    )
    code = _run(command, apart=apart)
    new = store.load(directory) if apart and _stamp(directory) not in (None, before) else None
    if as_tap:
        print(tap.render(new) if new is not None else tap.bail_out("the run had no plan: stderr says why"), end="")
    if as_json:
        print(json.dumps(outcome(code, directory, new)))
    sys.exit(code)


def _tests(suites: Collection[str]) -> list[str]:
    """The files of these suites, or all; raises :class:`EnvironmentBroke` where they cannot be run."""
    if not _SUITES.is_dir():
        raise EnvironmentBroke(f"{_SUITES}: no such directory; expected a checkout of this project")
    if importlib.util.find_spec("pytest") is None:
        raise EnvironmentBroke("pytest is not installed here; remedy: pip install 'multifd-conformance[suite]'")
    if not suites:
        return [str(_SUITES)]
    chosen = [path for path in sorted(_SUITES.rglob("test_*.py")) if _has(path, suites)]
    whole = {path.parent: all(other in chosen for other in path.parent.glob("test_*.py")) for path in chosen}
    return list(dict.fromkeys(str(path.parent if whole[path.parent] else path) for path in chosen))


def _has(path: Path, suites: Collection[str]) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(f'.cells("{suite}"' in text for suite in suites)


def _given(context: click.Context) -> Iterator[str]:
    """The options that pytest knows too, as they were given."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if not isinstance(parameter, click.Option) or parameter.name in _OURS or source is ParameterSource.DEFAULT:
            continue
        value = context.params[parameter.name or ""]
        for each in value if parameter.multiple else [value]:
            yield from (parameter.opts[0],) if parameter.is_flag else (parameter.opts[0], str(each))


def _run(command: Sequence[str], *, apart: bool) -> int:
    """To its end, in this terminal; with ``apart`` it leaves standard output alone. The contract's exit code."""
    environment = {**os.environ, **same_path(), **_ENVIRONMENT}
    with subprocess.Popen(
        command, env=environment, stdout=2 if apart else None,
        preexec_fn=stop_with_us,  # noqa: PLW1509  (one system call, no lock, no import)
    ) as process, _passed_on(process):  # fmt: skip
        code = process.wait()
    return _BROKE if code < 0 else _PYTESTS.get(code, code)


@contextmanager
def _passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Who stops us stops the run, which then writes what it has; that it is told twice does not matter to it."""

    def stop(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    given = {number: handler for number in _STOPS if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    before = {number: signal.signal(number, stop) for number in given}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stamp(directory: Path) -> tuple[int, int] | None:
    """Tells one run's log from another's; None where there is none."""
    try:
        status = (directory / store.EVENTS).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def outcome(code: int, directory: Path, results: Results | None) -> dict[str, Any]:
    """How a run ended, and where what it left is, as JSON shows it; None of a run that had no plan."""
    verdicts = Counter(cell.verdict for cell in results.cells) if results is not None else {}
    return {
        "exit_code": code,
        "complete": results is not None and results.run.complete,
        "verdicts": dict(verdicts),
        "results": str(directory / store.RESULTS) if results is not None else None,
        "report": str(directory / "report.html") if results is not None else None,
    }
