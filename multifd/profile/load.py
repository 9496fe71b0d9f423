"""Find and read a profile: by name from ``hwprofiles/``, or from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from multifd.errors import InputError
from multifd.profile.model import Profile

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "hwprofiles"
"""The shipped profiles."""


def shipped() -> dict[str, Path]:
    """Shipped profiles by name."""
    return {path.stem: path for path in sorted(DIRECTORY.glob("*.yaml"))}


def load(name: str) -> Profile:
    """The profile of that name or file; raises :class:`InputError` with the path of the field that is wrong."""
    path = _find(name)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(f"profile {path}: cannot read: {problem.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise InputError(f"profile {path}: is not YAML: {' '.join(str(problem).split())}") from None
    try:
        return Profile.model_validate(content)
    except ValidationError as problem:
        raise InputError(f"profile {path}: {_problems(problem)}") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of a profile."""
    return Profile.model_json_schema()


def _find(name: str) -> Path:
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if path.is_file():
        return path
    raise InputError(f"profile {name!r} is neither a file nor one of {', '.join(known)}")


def _problems(error: ValidationError) -> str:
    def line(item: Any) -> str:
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"])
        if item["type"] == "extra_forbidden":
            fields = ", ".join(Profile.model_fields if len(item["loc"]) == 1 else _fields(item["loc"]))
            return f"{path}: unknown key; expected one of {fields}"
        given = (
            "" if item["type"] == "missing" else f" (given: {json.dumps(item['input'], default=str)[:60]})"
        )
        return f"{path}: {item['msg']}{given}"

    return "; ".join(line(item) for item in error.errors())


def _fields(location: tuple[Any, ...]) -> list[str]:
    """Keys that are known where an unknown one was found."""
    definitions = schema()["$defs"]
    by_place = {"peers": "PeerEntry", "deadlines": "Deadlines"}
    return list(definitions[by_place[location[0]]]["properties"])
