"""Record what a QEMU says of itself: ``python -m tests.qemu.record FILE PROGRAM [ARGUMENT...]``.

Of the schema only what leads to the values of a migration parameter and to the capabilities is kept, of each machine
type only its names, and what :data:`MACHINES` of them run with if nobody sets anything.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from multifd.qemu.binary import Binary
from multifd.qemu.defaults import defaults
from multifd.qemu.guest import start

_COMMAND: Final = "migrate-set-parameters"
_PARAMETERS: Final = ("multifd-channels", "multifd-compression", "zero-page-detection")
_WITHIN: Final = 20.0
MACHINES: Final = ("pc-i440fx-7.2", "pc-i440fx-10.0", "pc-i440fx-11.1")
"""Machine types that the recorded binaries share."""


async def answers(binary: Binary, directory: Path) -> dict[str, Any]:
    """The extract, as ``query-version``, ``query-qmp-schema`` and ``query-machines`` have it."""
    async with start(binary, "qemu", directory, ("-machine", "none"), _WITHIN) as guest:
        schema = {entity["name"]: entity for entity in await guest.execute("query-qmp-schema", _WITHIN)}
        command = schema[_COMMAND]
        arguments = schema[command["arg-type"]]
        members = [member for member in arguments["members"] if member["name"] in _PARAMETERS]
        return {
            "version": await guest.execute("query-version", _WITHIN),
            "schema": [
                command,
                {**arguments, "members": members},
                *(schema[member["type"]] for member in members),
                *_to_capabilities(schema),
            ],
            "machines": [
                {key: machine[key] for key in ("name", "alias") if key in machine}
                for machine in await guest.execute("query-machines", _WITHIN)
            ],
        }


def _to_capabilities(schema: Mapping[str, Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    command = schema["migrate-set-capabilities"]
    arguments = schema[command["arg-type"]]
    listed = schema[arguments["members"][0]["type"]]
    element = schema[listed["element-type"]]
    named = next(schema[member["type"]] for member in element["members"] if member["name"] == "capability")
    yield from (command, arguments, listed, element, named)


if __name__ == "__main__":
    binary = Binary(command=tuple(sys.argv[2:]))
    with TemporaryDirectory() as scratch:
        extract = asyncio.run(answers(binary, Path(scratch)))
    known = {machine["name"] for machine in extract["machines"]} & set(MACHINES)
    told = defaults(binary, sorted(known), _WITHIN)
    extract["defaults"] = {machine: each.model_dump() for machine, each in told.items()}
    Path(sys.argv[1]).write_text(json.dumps(extract, indent=1) + "\n", encoding="utf-8")
