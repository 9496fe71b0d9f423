"""Accelerators: on what a method of theirs runs at each end, and what else their libraries could read and write.

QEMU calls a vendor's library under that vendor's method only. What the library could do under another method is said
beside it, as a proposal, by what the model of its silicon declares: through calls that keep a stream open, where there
are any, else through one call for each packet or page.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from multifd.accelerator import Accelerator, by_method
from multifd.advice.hosts import Host
from multifd.advice.lines import STANDING, Line
from multifd.codec import create, factories
from multifd.framing.coder import Codec, DecoderCapability, EncoderCapability
from multifd.framing.model import Scope, framing
from multifd.oracle.ability import inabilities
from multifd.oracle.predict import predict
from multifd.oracle.qemu import decoder_of, encoder_of
from multifd.oracle.question import Question, Side
from multifd.qemu.facts import Facts
from multifd.result.record import Role
from multifd.wire.dialect import ZeroPages

_EVERYBODY: Final = "zlib"
_STREAM: Final = "stream"
"""The parameter of a codec that makes the library's calls for streams."""


def runs_on(accelerator: Accelerator, sender: Host, receiver: Host) -> str:
    """Where both ends compute under the method of an accelerator, and what that takes."""
    name, library = accelerator.name, library_of(accelerator)
    on_cpu = "sends every page as it is" if accelerator.without == "software" else f"compresses in {library} on the CPU"
    sends = f"compresses on {name}" if accelerator in sender.devices else on_cpu
    reads = _reads(accelerator, sender, receiver)
    needs = dict.fromkeys(host.name for host in (sender, receiver) if not host.said)
    built = f"; {' and '.join(needs)} must be built with {library}" if needs else ""
    return f"{sender.name} {sends}, {receiver.name} decompresses {reads}{built}"


def _reads(accelerator: Accelerator, sender: Host, receiver: Host) -> str:
    if accelerator not in receiver.devices:
        return "on the CPU"
    codec = _stand_in(accelerator.emulated)
    if accelerator in sender.devices or codec.encoder is None or codec.encoder.member is None:
        return f"on {accelerator.name}"
    # Its library gives a member above what one request takes to software, by design (multifd/oracle/fallback.py).
    return f"on the CPU, for {accelerator.name} takes none of the large members that software writes"


def library_of(accelerator: Accelerator) -> str:
    """What QEMU is built with for its method."""
    return accelerator.real.library if accelerator.real is not None else "libwd"


def by_libraries(sender: Host, receiver: Host) -> Iterator[Line]:
    """What either end's device could do under a method that the other end has, if a QEMU called its library so."""
    for method in dict.fromkeys((*sender.methods, *receiver.methods)):
        for accelerator in sender.devices:
            if method in receiver.methods and _asked(method, accelerator, receiver):
                yield _line(method, accelerator, receiver, sends=True)
        for accelerator in receiver.devices:
            if method in sender.methods and _asked(method, accelerator, sender):
                yield _line(method, accelerator, sender, sends=False)


def _asked(method: str, accelerator: Accelerator, other: Host) -> bool:
    """The method that every fleet has, and that of the other end's own accelerator."""
    return method == _EVERYBODY or (method != accelerator.method and by_method(method) in other.devices)


def _line(method: str, accelerator: Accelerator, other: Host, *, sends: bool) -> Line:
    codec, asked, name = _stand_in(accelerator.emulated), framing(method), library_of(accelerator)
    role: Role = "sender" if sends else "receiver"
    does = "write" if sends else "read"
    lacking = inabilities(codec.encoder, codec.decoder, asked, other.facts.arch.page_size).get(role)
    if lacking is not None:
        why = f"{name} cannot {does} it: {lacking}"
        return Line(method=method, verdict="refused", why=why, rests_on="oracle", library=name, at=role)
    prediction = predict(_question(method, codec, other.facts, sends=sends))
    if prediction.outcome == "identical":
        stream = asked.scope is Scope.CHANNEL
        where = "on the CPU" if stream and not (sends or accelerator.follows) else f"on {accelerator.name}"
        calls = ", through its calls for streams" if stream else ""
        why = f"{name} could {does} it {where}{calls}; QEMU does not call it under {method}"
    else:
        fixed = "; QEMU has no parameter for its window" if prediction.rule == "window" and not sends else ""
        why = f"{name} does not {does} it: {prediction.reason}{fixed}"
    return Line(
        method=method, verdict=STANDING[prediction.outcome], why=why, rests_on="oracle", words=prediction.error,
        library=name, at=role,
    )  # fmt: skip


@cache
def _stand_in(emulated: str) -> Codec:
    """The model of silicon, with calls for streams if it has them."""
    return create(emulated, {_STREAM: 1} if _STREAM in factories()[emulated].parameters else {})


def _question(method: str, codec: Codec, other: Facts, *, sends: bool) -> Question:
    asked, spoken = framing(method), other.dialect
    ours = Side(codec.name, asked, spoken, codec=codec.name.partition("[")[0])
    qemu = Side(f"qemu-{other.release}", asked, spoken, qemu=True)
    encoder: EncoderCapability | None = codec.encoder if sends else encoder_of((method,))
    decoder: DecoderCapability | None = decoder_of((method,)) if sends else codec.decoder
    assert encoder is not None and decoder is not None, f"{codec.name} has both"
    return Question(
        sender=ours if sends else qemu, receiver=qemu if sends else ours, encoder=encoder, decoder=decoder,
        page_size=other.arch.page_size, zero_pages=ZeroPages.MAIN, becomes_zero=True, fault=None, channels=(2, 2),
        goes_on=True, looks_late=False,
    )  # fmt: skip
