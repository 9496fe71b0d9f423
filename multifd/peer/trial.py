"""Trials: a codec is put before what it may have declared that it cannot do.

Nothing that guards it otherwise is asked, so that whatever the library does is seen, and anything that it raises is an
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from multifd.framing.coder import Bytes, Codec, Compressor, StreamDecoder, StreamEncoder
from multifd.peer.contract import Attempt, Packet, Trial

_Call: TypeAlias = Callable[[Bytes, Packet], Bytes]


def make(codec: Codec, trials: Sequence[Trial], data: bytes) -> tuple[tuple[Attempt, ...], bytes]:
    """What came of each trial, and all that was made, one after the other."""
    attempts, made = [], bytearray()
    rest = memoryview(data)
    for trial in trials:
        sizes: list[int] = []
        given = sum(packet.given for packet in trial.packets)
        error = _try(codec, trial, rest[:given], sizes, made)
        attempts.append(Attempt(made=tuple(sizes), error=error))
        rest = rest[given:]
    return tuple(attempts), bytes(made)


def _try(codec: Codec, trial: Trial, data: memoryview, sizes: list[int], made: bytearray) -> str | None:
    at = 0
    try:
        call = _call(codec, trial)
        for packet in trial.packets:
            output = call(data[at : at + packet.given], packet)
            at += packet.given
            sizes.append(len(output))
            made += output
    except Exception as problem:  # (whatever a library that is asked too much does, is an answer)
        return str(problem) or type(problem).__name__
    return None


def _call(codec: Codec, trial: Trial) -> _Call:
    container, window = trial.container, trial.window
    if trial.role == "sender":
        if trial.stream and isinstance(codec, StreamEncoder):
            return partial(_written, codec.compressor(container, window))
        return lambda data, _: codec.compress(data, container, window)
    if trial.stream and isinstance(codec, StreamDecoder):
        stream = codec.decompressor(container)
        return lambda data, packet: stream.decompress(data, packet.wanted)
    return lambda data, packet: codec.decompress(data, container, packet.wanted)


def _written(stream: Compressor, data: Bytes, _: Packet) -> bytes:
    return stream.compress(data) + stream.sync()
