#!/usr/bin/env python3
"""A stand-in for silicon: ``standin.py ROOT CODEC [PARAMETER=VALUE ...]``.

An emulation of ours that says it is hardware. Below ``ROOT``, the root of a recorded host, a device counts its jobs as
they happen, where a driver would show them. The suite cannot tell it from silicon, and must find nothing wrong with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from examples.silicon.counters import FORMS, Counter
from multifd.codec import create
from multifd.codec.silicon.iaa import Descriptor
from multifd.codec.silicon.qat import Result, Status
from multifd.framing.coder import Codec
from multifd.peer.server import PeerServer

Count = Callable[[int], None]
"""Told of jobs of the device, so many, as soon as they are done."""


def under_a_false_flag(codec: Codec, count: Count) -> Codec:
    """The emulation, which now says that it is hardware, and tells of every job of the device that it models."""
    model: Any = codec
    model.provenance = "hardware"
    match codec.device:
        case "QAT":
            for name in ("compress", "decompress"):
                _listen(model.engine, name, lambda result, *_: count(_responses(result)))
        case "IAA":
            _listen(model.queue, "submit", lambda taken, job: count(_descriptors(job) if taken else 0))
        case "Kunpeng":
            _listen(model, "_take", lambda *_: count(1))
    return codec


def _listen(thing: Any, name: str, hear: Callable[..., None]) -> None:
    """Hear what each call of a method returns, and what it was given."""
    method = getattr(thing, name)

    def heard(*arguments: Any, **named: Any) -> Any:
        answer = method(*arguments, **named)
        hear(answer, *arguments)
        return answer

    setattr(thing, name, heard)


def _responses(result: Result) -> int:
    """Of the firmware to a request: none if it hung."""
    return int(result.status is not Status.WATCHDOG)


def _descriptors(job: Descriptor) -> int:
    """For a code made for the data, the data is read twice."""
    return 2 if job.operation == "compress" and job.dynamic else 1


def main(root: str, codec: str, *parameters: str) -> int:
    """Serve on stdin and stdout."""
    given = {name: int(value) for name, _, value in (parameter.partition("=") for parameter in parameters)}
    made = create(codec, given)
    counter = Counter(Path(root), FORMS[made.device or ""])
    return PeerServer(under_a_false_flag(made, counter.add), "stand-in", sys.stdout).serve(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
