"""References in docstrings: what :class:`Reference` and its like name exists, from where it is named."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from multifd import errors

ROOT: Final = Path(__file__).resolve().parents[1]
ROOMS: Final = (
    *("multifd", "reports", "fixtures", "suites", "benchmarks"),
    *("packages/qpl-py/src", "packages/qatzip-py/src"),
)
REFERENCE: Final = re.compile(r":(?:mod|class|func|meth|data|attr|exc|const|obj):`~?([^`]+)`")
MODULES: Final = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@dataclass(frozen=True)
class Reference:
    """A name in a docstring, and the classes that the docstring is in, from the outermost on."""

    name: str
    line: int
    classes: tuple[str, ...]


def references(tree: ast.AST, classes: tuple[str, ...] = ()) -> Iterator[Reference]:
    """References in all docstrings, those of fields and constants included."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(ast.Constant(str() as text)):
                yield from (Reference(name, node.lineno, classes) for name in REFERENCE.findall(text))
            case ast.ClassDef(name=name):
                yield from references(node, (*classes, name))
            case _:
                yield from references(node, classes)


def module_name(path: Path) -> str:
    """The name under which a module is imported."""
    room = next(ROOT / room for room in ROOMS if path.is_relative_to(ROOT / room))
    base = room if room.name == "src" else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def exists(reference: Reference, module: ModuleType) -> bool:
    """It is there: from its classes outwards, in the module, in Python, by its full name, or an error of ours.

    An error passes many modules that need not import it.
    """
    if reference.name.startswith("."):
        package = module.__name__ if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
        return by_full_name(package + reference.name)
    scopes: list[object] = [module, builtins, errors]
    holder: object = module
    for name in reference.classes:
        holder = getattr(holder, name)
        scopes.insert(0, holder)
    return any(has(scope, reference.name.split(".")) for scope in scopes) or by_full_name(reference.name)


def by_full_name(name: str) -> bool:
    """A module, or what is in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return has(module, parts[length:])
    return False


def has(scope: object, names: list[str]) -> bool:
    """The scope has the first name, that the next, and so on; the last may be a field that only instances have."""
    for position, name in enumerate(names):
        if hasattr(scope, name):
            scope = getattr(scope, name)
        else:
            return position == len(names) - 1 and isinstance(scope, type) and name in fields(scope)
    return True


@cache
def fields(owner: type) -> frozenset[str]:
    """What instances of a class have: declared fields, slots, and what any method sets on ``self``."""
    found: set[str] = set()
    for base in owner.__mro__:
        found |= {*inspect.get_annotations(base), *getattr(base, "__dataclass_fields__", {})}
        source = getattr(importlib.import_module(base.__module__), "__file__", None)
        if source is not None and Path(source).is_relative_to(ROOT):
            found |= set(re.findall(r"self\.(\w+)(?:: [^=\n]+)? = ", Path(source).read_text(encoding="utf-8")))
    return frozenset(found)


def test_every_reference_resolves() -> None:
    found = {path: list(references(ast.parse(path.read_text(encoding="utf-8")))) for path in MODULES}
    modules = {path: importlib.import_module(module_name(path)) for path, named in found.items() if named}

    assert len(modules) > 50
    assert [
        f"{path.relative_to(ROOT)}:{each.line}: {each.name}"
        for path, module in modules.items()
        for each in found[path]
        if not exists(each, module)
    ] == []
