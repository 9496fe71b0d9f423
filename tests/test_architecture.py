"""The architecture: who may import whom. Imports point downwards only, and what is above is unknown below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]

LAYERS: Final = (
    {"cli"},
    {"run"},
    {"peer"},
    {"plan"},
    {"oracle", "profile", "fidelity", "scrutiny"},
    {"codec", "qemu"},
    {"framing"},
    {"wire"},
    {"memory", "device", "vendor"},
    {"result"},
    {"errors"},
)
"""Packages of ``multifd``, top to bottom. A package imports itself and those of lower layers."""

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


def layer(of: str) -> int:
    """Its number from the top; fails for a package that has no place."""
    return next(number for number, names in enumerate(LAYERS) if of in names)


def test_every_package_has_its_layer() -> None:
    found = {package(name(path)) for path in MODULES} - {None}

    assert found == set().union(*LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_point_downwards(path: Path) -> None:
    own = package(name(path))
    if own is None:
        assert packages(path) == set()
        return

    upwards = {other for other in packages(path) - {own} if layer(other) <= layer(own)}

    assert upwards == set()


def test_results_know_nobody() -> None:
    paths = [path for path in MODULES if package(name(path)) == "result"]

    assert {other for path in paths for other in packages(path)} == {"result", "errors"}


@pytest.mark.parametrize("path", REPORTS, ids=name)
def test_reports_know_only_results(path: Path) -> None:
    assert packages(path) <= {"result"}


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
