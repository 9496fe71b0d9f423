"""The architecture: who may import whom. Imports point downwards only, and what is above is unknown below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

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


@cache
def tree(path: Path) -> ast.Module:
    """What is in a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Modules that a module imports, wherever it does; a name of the root package counts as a module."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
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


def below(path: Path) -> set[str]:
    """What a module may import from."""
    own = package(name(path))
    return set(FLOORS[: FLOORS.index(own) + 1]) if own is not None else set()


def beyond(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Of the modules that were looked at, and there are many, those that have something which they should not."""
    assert len(found) > 10
    return {module: what for module, what in found.items() if what}


def test_every_floor_uses_only_floors_below_it() -> None:
    assert beyond({name(path): packages(path) - below(path) for path in MODULES}) == {}


def test_results_know_nobody() -> None:
    paths = [path for path in MODULES if package(name(path)) == "result"]

    assert {other for path in paths for other in packages(path)} == {"result", "errors", "foreign", "yaml"}


def test_reports_know_only_results_and_what_follows_from_them() -> None:
    known = {"result", "advice", "comparison", "history"}

    assert beyond({name(path): packages(path) - known for path in REPORTS}) == {}


def top(path: Path) -> set[str]:
    """The outermost of what a module imports."""
    return {module.partition(".")[0] for module in imported(path)}


def test_pytest_is_known_to_fixtures_only() -> None:
    testing = {"pytest", "fixtures", "suites", "tests"}

    assert beyond({name(path): top(path) & testing for path in (*MODULES, *REPORTS)}) == {}


def test_the_protocol_does_no_io() -> None:
    assert beyond({name(path): top(path) & IO for path in MODULES if package(name(path)) in SANS_IO}) == {}


def test_every_module_says_what_it_is() -> None:
    modules = (*MODULES, *REPORTS, *FIXTURES)

    assert len(modules) > 100
    assert [name(path) for path in modules if not ast.get_docstring(tree(path))] == []
