"""A program that speaks QMP and knows no command but one: ``pretender.py -qmp unix:PATH ...``.

At ``migrate-set-parameters`` it hangs up, and aborts only then, as one does whose core is dumped.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

DUMP = 0.3
"""Seconds that its core takes."""


def main(arguments: list[str]) -> None:
    """Connect, greet, and refuse everything until the other side hangs up."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(arguments[arguments.index("-qmp") + 1].removeprefix("unix:"))
        _say(monitor, {"QMP": {"version": {}, "capabilities": []}})
        while question := monitor.recv(4096):  # it has no end of line, but whoever asks waits for the answer
            asked = json.loads(question)
            if asked["execute"] == "migrate-set-parameters":
                break
            _say(monitor, {"id": asked.get("id"), **_answer(asked["execute"])})
        else:
            return
    print("qemu-system-x86_64: yank.c:107: Assertion failed.", file=sys.stderr, flush=True)
    time.sleep(DUMP)
    os.abort()


def _say(monitor: socket.socket, message: dict[str, object]) -> None:
    monitor.sendall(json.dumps(message).encode() + b"\r\n")


def _answer(command: str) -> dict[str, object]:
    if command == "qmp_capabilities":
        return {"return": {}}
    return {"error": {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}}


if __name__ == "__main__":
    main(sys.argv)
