"""Peers that lie on the control stream: about themselves, about how they ran, and about what a reply is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

from multifd.framing.coder import Codec
from multifd.framing.container import Container
from multifd.memory.layout import MemoryLayout
from multifd.peer import contract
from tests.liars.base import Liar


class SaysHardware(Liar):
    """Says that it runs on hardware, in hello and in every answer; it is software."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        return super().introduce(request).model_copy(update={"provenance": "hardware", "device": "QAT"})

    def _done(self, request: contract.Message, **fields: object) -> contract.Done:
        return super()._done(request, **fields).model_copy(update={"provenance": "hardware"})


class ProvenanceChanges(Liar):
    """Declares software and says afterwards that it ran as vendor-software."""

    def _done(self, request: contract.Message, **fields: object) -> contract.Done:
        return super()._done(request, **fields).model_copy(update={"provenance": "vendor-software"})


class _Declares(Liar):
    """Changes what it declares to emit and to read, not what it does."""

    def changed(self) -> dict[str, Any]:
        """Fields of its capabilities that are made up."""
        raise NotImplementedError

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        honest = super().introduce(request)
        assert honest.encoder is not None and honest.decoder is not None
        return honest.model_copy(
            update={
                "encoder": replace(honest.encoder, **self.changed()),
                "decoder": replace(honest.decoder, **self.changed()),
            }
        )


class ClaimsAContainer(_Declares):
    """Declares to emit and to read zstd."""

    def changed(self) -> dict[str, Any]:
        assert self.codec.encoder is not None
        return {"containers": self.codec.encoder.containers | {Container.ZSTD}}


class ClaimsStreaming(_Declares):
    """Declares to keep a stream open across packets."""

    def changed(self) -> dict[str, Any]:
        return {"streaming": True}


class ClaimsAWindow(Liar):
    """Declares to keep to any window, and ignores the one that it is asked for."""

    def __init__(self, codec: Codec, name: str, output: IO[str]) -> None:
        honest: Any = codec
        windows = frozenset(range(9, 16))
        super().__init__(replace(honest, encoder=replace(honest.encoder, windows=windows)), name, output)


class ClaimsTooLittle(_Declares):
    """Declares no gzip container, and emits one when asked."""

    def changed(self) -> dict[str, Any]:
        assert self.codec.encoder is not None
        return {"containers": self.codec.encoder.containers - {Container.GZIP}}


class ReadsTooMuch(Liar):
    """Declares to read no gzip container, and reads one when asked."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        honest = super().introduce(request)
        assert honest.decoder is not None
        less = replace(honest.decoder, containers=honest.decoder.containers - {Container.GZIP})
        return honest.model_copy(update={"decoder": less})


class RefusesWithoutSayingWhy(Liar):
    """Refuses what it cannot do as if it had broken."""

    def _failed(self, request: contract.Message, problem: Exception) -> contract.Failed:
        honest = super()._failed(request, problem)
        return honest.model_copy(update={"kind": "internal", "error": "no"})


class WrongContract(Liar):
    """Speaks a version of the contract that does not exist."""

    def reply(self, message: contract.Message) -> None:
        _write(message.model_dump_json().replace("multifd-peer/1", "multifd-peer/2").encode() + b"\n")


class WrongId(Liar):
    """Answers another request than the one that was asked."""

    def reply(self, message: contract.Message) -> None:
        super().reply(message.model_copy(update={"id": message.id + 7}))


class AnswersAnotherQuestion(Liar):
    """Introduces itself, whatever it is asked."""

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        self.reply(self.introduce(contract.Hello(id=request.id)))


class AnswersTwice(Liar):
    """Answers everything twice."""

    def reply(self, message: contract.Message) -> None:
        super().reply(message)
        super().reply(message)


class AnswersLate(Liar):
    """Answers after three seconds."""

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        time.sleep(3)
        super().lie(request, layout, handle)


class Garbage(Liar):
    """Writes bytes that are no reply, then waits for the next request."""

    written = bytes(range(128, 256)) + b"\n"

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        _write(self.written)


class HalfALine(Garbage):
    """Half a reply, and no end of line."""

    written = b'{"id": 2, "reply": "do'


class LongLine(Garbage):
    """A line of 10 MB."""

    written = b"x" * 10_000_000 + b"\n"


class NoReply(Garbage):
    """JSON, but no reply."""

    written = b'{"id": 2, "reply": "perhaps"}\n'


class GarbageInHello(Liar):
    """Introduces itself with a line of text, as a program does that prints a banner."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        _write(b"welcome to the peer\n")
        return super().introduce(request)


class FloodsStderr(Liar):
    """Writes its log without end."""

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        while True:
            sys.stderr.write("no hardware, " * 1000)


class ChattersOnStderr(Liar):
    """Writes 2 MiB of log for each request: no lie at all."""

    def lie(self, request: contract.Message, layout: MemoryLayout, handle: Callable[..., contract.Done]) -> None:
        sys.stderr.write("no hardware in this host, going on in software\n" * ((2 << 20) // 47))
        super().lie(request, layout, handle)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
