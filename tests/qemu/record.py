"""Record what a QEMU says of itself: ``python -m tests.qemu.record FILE PROGRAM [ARGUMENT...]``.

Of the schema only what leads to the values of a migration parameter and to the capabilities is kept, of each machine
type only its names.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from multifd.qemu.binary import Binary
from multifd.qemu.guest import start

_COMMAND: Final = "migrate-set-parameters"
_PARAMETERS: Final = ("multifd-channels", "multifd-compression", "zero-page-detection")
_WITHIN: Final = 20.0


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
                command, {**arguments, "members": members}, *(schema[member["type"]] for member in members),
                *_to_capabilities(schema),
            ],
            "machines": [
                {key: machine[key] for key in ("name", "alias") if key in machine}
                for machine in await guest.execute("query-machines", _WITHIN)
            ],
        }  # fmt: skip


def _to_capabilities(schema: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    command = schema["migrate-set-capabilities"]
    arguments = schema[command["arg-type"]]
    each = schema[schema[arguments["members"][0]["type"]]["element-type"]]
    name = next(member for member in each["members"] if member["name"] == "capability")
    yield from (command, arguments, schema[arguments["members"][0]["type"]], each, schema[name["type"]])


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        extract = asyncio.run(answers(Binary(command=tuple(sys.argv[2:])), Path(scratch)))
    Path(sys.argv[1]).write_text(json.dumps(extract, indent=1) + "\n", encoding="utf-8")
