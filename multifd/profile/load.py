"""Find and read a profile: by name from ``hwprofiles/``, or from a file.

A profile that ``extends`` another has that one's keys, each whole, where it has none of its own; its description is its
own. The other is a shipped one, or a file named from this one's directory, and is valid by itself.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from multifd.errors import HarnessError, InputError
from multifd.foreign import whole
from multifd.nearest import suggestion
from multifd.profile.model import Deadlines, DeviceEntry, PeerEntry, Profile, QemuEntry, Text, Variant
from multifd.result.printable import clipped
from multifd.yaml import parse

DIRECTORY: Final = Path(__file__).resolve().parents[2] / "hwprofiles"
"""The shipped profiles."""
_MOST: Final = 1 << 20
"""Bytes of a profile."""
_DEEPEST: Final = 20
"""Profiles of which each extends the next."""
_SHOWN: Final = 20
"""Problems of one profile."""
_EXTENDS: Final = TypeAdapter(Text)


def shipped() -> dict[str, Path]:
    """Shipped profiles by name; raises :class:`HarnessError` if there are none."""
    found = {path.stem: path for path in sorted(DIRECTORY.glob("*.yaml"))}
    if not found:
        raise HarnessError(f"{DIRECTORY}: holds no profiles (*.yaml)")
    return found


def load(name: str) -> Profile:
    """The profile of that name or file; raises :class:`InputError` with the path of the field that is wrong."""
    path = shipped().get(name, Path(name))
    try:
        return _valid(path, _extended(path, ()))
    except FileNotFoundError:
        known = ", ".join(shipped())
        raise InputError(
            f"profile {name!r} is neither a file nor one of {known}; {suggestion(name, shipped())}"
        ) from None


def _extended(path: Path, behind: Sequence[Path]) -> Any:
    """What a file says, with what it takes from others; ``behind`` are those that extend it, the last one first.

    Raises :class:`FileNotFoundError` if it is not there.
    """
    content = _read(path)
    if not isinstance(content, dict) or "extends" not in content:
        return content
    try:
        wanted = _EXTENDS.validate_python(content["extends"])
    except ValidationError:
        return content
    base = shipped().get(wanted, path.parent / wanted)
    if len(behind) == _DEEPEST:
        chain = f"more than {_DEEPEST} profiles each extend the next"
        raise InputError(f"profile {path}: $.extends: {wanted!r}: {chain}")
    if os.path.realpath(base) in map(os.path.realpath, (path, *behind)):
        raise InputError(f"profile {path}: $.extends: {wanted!r} extends this one")
    try:
        inherited = _extended(base, (path, *behind))
    except FileNotFoundError:
        known = ", ".join(shipped())
        raise InputError(f"profile {path}: $.extends: {wanted!r} is neither a file nor one of {known}") from None
    _valid(base, inherited)
    return {key: value for key, value in inherited.items() if key != "description"} | content


def _read(path: Path) -> Any:
    try:
        return parse(whole(path, _MOST))
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise InputError(f"profile {clipped(str(path))}: cannot read: {problem.strerror}") from None
    except InputError as problem:
        raise InputError(f"profile {path}: {problem}") from None


def _valid(path: Path, content: Any) -> Profile:
    try:
        return Profile.model_validate(content)
    except ValidationError as problem:
        raise InputError(f"profile {path}: {_problems(problem)}") from None


def _problems(error: ValidationError) -> str:
    """Each on its own, so far as somebody reads on."""

    def line(item: Any) -> str:
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in _place(item["loc"]))
        if item["type"] == "extra_forbidden":
            return f"{path}: unknown key; expected one of {', '.join(_known(item['loc']))}"
        if item["type"] == "device":
            return f"{path}: {item['msg']}"
        given = "" if item["type"] == "missing" else f" (given: {clipped(reprlib.repr(item['input']))})"
        return f"{path}: {item['msg']}{given}"

    found = list(_causes(error))
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return clipped("; ".join([*map(line, found[:_SHOWN]), *more]))


def _causes(error: ValidationError) -> Iterator[Any]:
    """What is wrong, without what is wrong because of that: items that are not valid count as missing."""
    items = error.errors()
    above = {item["loc"][:size] for item in items for size in range(len(item["loc"]))}
    return (item for item in items if item["loc"] not in above)


def _place(location: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where the user looks.

    Behind an entry of ``qemu`` pydantic names which kind of entry it takes it for, last that it means a key.
    """
    place = location[:-1] if location[-1:] == ("[key]",) else location
    return (*place[:2], *place[3:]) if place[:1] == ("qemu",) else place


def _known(location: tuple[Any, ...]) -> Iterable[str]:
    """Keys that are known where an unknown one was found."""
    if len(location) == 1:
        return Profile.model_fields
    within: dict[str, type[BaseModel]] = {
        "peers": PeerEntry, "deadlines": Deadlines, "devices": DeviceEntry, "qemu": QemuEntry, "variants": Variant,
    }  # fmt: skip
    return within[location[0]].model_fields
