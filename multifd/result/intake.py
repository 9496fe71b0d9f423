"""A results file as it is read: of this version of the contract, or of version 1.

What version 1 did not write is made of what it did, or said to be unknown; a remark of the run says so. Any other file
is refused with the field, what it has, and what was expected (docs/results.md has the promise).
"""

from __future__ import annotations

import json
import re
import reprlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from multifd.errors import InputError
from multifd.result.planned import plan_digest
from multifd.result.record import SCHEMA_ID, Results

VERSION_1: Final = "multifd-conformance/results/1"
UNKNOWN: Final = "unknown: results of version 1 do not say"
EXPECTED: Final = (
    "expected the results.json of a run, or the directory that the run was given as --results"
    " (multifd run writes build/conformance)"
)
"""What every reader of results takes, and where there is some."""
_SHOULD: Final = re.compile(r"^\w+ should (be|have) ")
"""How pydantic begins what it expects."""
_BEGINNING: Final = 40
"""Characters of a file that is none."""
REMARK: Final = (
    "read from results of version 1: plan and coverage are those of its cells, and of its seed nothing is known"
)


def parse(content: str, where: str) -> Results:
    """The results in a file; raises :class:`InputError`, which begins with ``where``."""
    try:
        if "NaN" in content or "Infinity" in content:
            from_json(content, allow_inf_nan=False)
    except ValueError as problem:
        raise InputError(f"{where}: is not JSON: {problem}; {EXPECTED}") from None
    try:
        return Results.model_validate_json(content)
    except ValidationError as problem:
        if _versions(problem) != [VERSION_1]:
            raise _refused(problem, where, content) from None
    try:
        return Results.model_validate(upgraded(json.loads(content)))
    except ValidationError as problem:
        raise _refused(problem, where, content) from None
    except (TypeError, KeyError, AttributeError) as problem:
        raise InputError(f"{where}: is not as version 1 has it: {problem!r}; expected {VERSION_1}") from None


def upgraded(old: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 as this version has it. Raises TypeError, KeyError or AttributeError where it is not version 1."""
    cells = old["cells"]
    shown: dict[str, list[str]] = {}
    for finding in old["findings"]:
        for name in finding["cells"]:
            shown.setdefault(name, []).append(finding["id"])
    run = {
        "plan": plan_digest(cell["id"] for cell in cells),
        "seed": 0,
        "coverage": {"cells": dict(Counter(cell["suite"] for cell in cells))},
        "remarks": [REMARK],
    }
    nothing = {"upstream": None, "fixed_in": None, "reproducer": None}
    return {
        **old,
        "schema": SCHEMA_ID,
        "run": {**old["run"], **run},
        "unable": [],
        "findings": [{**finding, "remedy": UNKNOWN, **nothing} for finding in old["findings"]],
        "cells": [{**cell, "issues": shown.get(cell["id"], [])} for cell in cells],
    }


def _strange(problem: ValidationError, content: str) -> str | None:
    """What a file is that has nothing of results."""
    first = problem.errors()[0]
    begins = f"it begins with {content[:_BEGINNING]!r}" if content.strip() else "it is empty"
    if first["type"] == "json_invalid":
        return f"{begins}, which is no JSON ({first['ctx']['error']})"
    if first["loc"] == ():
        return f"{begins}, which is JSON, but no object"
    if "schema" not in from_json(content):
        return f"{begins}, an object without the field 'schema'"
    return None


def begins_version_1(line: bytes) -> bool:
    """The first event of a log is one of version 1: its run has no plan."""
    try:
        match json.loads(line):
            case {"event": "run", "run": dict() as run}:
                return "plan" not in run
    except (ValueError, RecursionError):
        pass
    return False


def _versions(problem: ValidationError) -> list[object]:
    """What the file says it is, where that is not this version; it says one thing at most."""
    return [error["input"] for error in problem.errors() if error["loc"] == ("schema",)]


def _refused(problem: ValidationError, where: str, content: str) -> InputError:
    strange = _strange(problem, content)
    if strange is not None:
        return InputError(f"{where}: is no results file: {strange}; {EXPECTED}")
    for version in _versions(problem):
        known = f"expected {SCHEMA_ID!r} or {VERSION_1!r}"
        return InputError(f"{where}: schema: {version!r}, {known}; a newer multifd reads more")
    first = problem.errors()[0]
    if first["type"] == "extra_forbidden":
        field = ".".join(map(str, first["loc"]))
        return InputError(
            f"{where}: {field}: is no field of {SCHEMA_ID}; a newer multifd may know it (docs/results.md)"
        )
    return InputError(f"{where}: {amiss(problem)}")


def amiss(problem: ValidationError) -> str:
    """The first thing that a model refuses: the field, the value that it has, and what was expected."""
    first = problem.errors()[0]
    field = ".".join(map(str, first["loc"])) or "(whole)"
    said = str(first["ctx"]["error"]) if first["type"] == "value_error" else _SHOULD.sub("expected ", first["msg"])
    value = first["input"]
    shown = first["type"] != "missing" and not isinstance(value, dict | list)
    return f"{field}: {f'{reprlib.repr(value)}, ' if shown else ''}{said}"
