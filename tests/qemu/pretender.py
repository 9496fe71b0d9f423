"""A program that speaks QMP and knows no command: ``pretender.py -qmp unix:PATH ...``."""

from __future__ import annotations

import json
import socket
import sys


def main(arguments: list[str]) -> None:
    """Connect, greet, and refuse everything until the other side hangs up."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(arguments[arguments.index("-qmp") + 1].removeprefix("unix:"))
        _say(monitor, {"QMP": {"version": {}, "capabilities": []}})
        while question := monitor.recv(4096):  # it has no end of line, but whoever asks waits for the answer
            asked = json.loads(question)
            _say(monitor, {"id": asked.get("id"), **_answer(asked["execute"])})


def _say(monitor: socket.socket, message: dict[str, object]) -> None:
    monitor.sendall(json.dumps(message).encode() + b"\r\n")


def _answer(command: str) -> dict[str, object]:
    if command == "qmp_capabilities":
        return {"return": {}}
    return {"error": {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}}


if __name__ == "__main__":
    main(sys.argv)
