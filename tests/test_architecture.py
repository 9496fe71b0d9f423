"""The architecture: who may import whom. Imports point downwards only, and what is above is unknown below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]

FLOORS: Final = re.findall(
    r"^multifd/(\w+) ", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE
)
"""Packages of ``multifd`` as the documentation has them, from the ground up. Each may use those before it."""

SANS_IO: Final = ("wire", "framing")
IO: Final = {
    "asyncio",
    "io",
    "mmap",
    "multiprocessing",
    "os",
    "pathlib",
    "selectors",
    "socket",
    "subprocess",
    "threading",
}

MODULES: Final = sorted((ROOT / "multifd").rglob("*.py"))
REPORTS: Final = sorted((ROOT / "reports").rglob("*.py"))
FIXTURES: Final = sorted((ROOT / "fixtures").rglob("*.py"))


def name(path: Path) -> str:
    """The module's name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def package(module: str) -> str | None:
    """The package of ``multifd`` that a module is in; None for the root and for others' modules."""
    first, *rest = module.split(".")
    return rest[0] if first == "multifd" and rest else None


def imported(path: Path) -> Iterator[str]:
    """Modules that a module imports, wherever it does; a name of the root package counts as a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str() as module, level=0):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names if module in {"multifd", "reports"})
            case ast.ImportFrom(level=level):
                assert not level, f"{path}: a relative import"


def packages(path: Path) -> set[str]:
    """Packages of ``multifd`` that a module imports from; ``__version__`` is nobody's."""
    return {found for module in imported(path) if (found := package(module)) is not None and found != "__version__"}


def test_every_package_has_its_floor() -> None:
    found = {package(name(path)) for path in MODULES} - {None}

    assert sorted(filter(None, found)) == sorted(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_floor_uses_only_floors_below_it(path: Path) -> None:
    own = package(name(path))
    below = FLOORS[: FLOORS.index(own) + 1] if own is not None else []

    assert packages(path) <= set(below)


def test_results_know_nobody() -> None:
    paths = [path for path in MODULES if package(name(path)) == "result"]

    assert {other for path in paths for other in packages(path)} == {"result", "errors", "foreign", "yaml"}


@pytest.mark.parametrize("path", REPORTS, ids=name)
def test_reports_know_only_results_and_what_follows_from_them(path: Path) -> None:
    assert packages(path) <= {"result", "advice", "comparison", "history"}


@pytest.mark.parametrize("path", [*MODULES, *REPORTS], ids=name)
def test_pytest_is_known_to_fixtures_only(path: Path) -> None:
    top = {module.partition(".")[0] for module in imported(path)}

    assert top & {"pytest", "fixtures", "suites", "tests"} == set()


@pytest.mark.parametrize("path", [p for p in MODULES if package(name(p)) in SANS_IO], ids=name)
def test_the_protocol_does_no_io(path: Path) -> None:
    assert {module.partition(".")[0] for module in imported(path)} & IO == set()


@pytest.mark.parametrize("path", [*MODULES, *REPORTS, *FIXTURES], ids=name)
def test_every_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert docstring
