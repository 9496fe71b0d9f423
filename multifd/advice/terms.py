"""A migration between two QEMUs as they are set, put to the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from multifd.framing.model import framing
from multifd.oracle.predict import predict
from multifd.oracle.qemu import decoder_of, encoder_of
from multifd.oracle.question import Prediction, Question, Side, Told
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import Facts
from multifd.qemu.tls import Credential, Tls
from multifd.wire.dialect import DETECTION


@dataclass(frozen=True, slots=True)
class Terms:
    """What one end is set to."""

    name: str
    facts: Facts
    method: str
    """``multifd-compression``."""
    channels: int
    """``multifd-channels``."""
    zero_pages: str
    """``zero-page-detection``; ``legacy`` before 9.0."""
    on: frozenset[str] = frozenset()
    """Capabilities."""
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Levels."""
    tls: bool = False


def expected(
    sender: Terms, receiver: Terms, machine: str | None, defaults: Defaults, *, looks_late: bool = False
) -> Prediction:
    """What becomes of a guest of which some pages change and some become zero, in the worst order of events.

    ``defaults`` are the sender's on this machine type. ``looks_late``: the destination looks at nothing before the
    source has sent everything, and the source waits for no word of it.
    """
    return predict(
        Question(
            sender=_side(sender),
            receiver=_side(receiver),
            encoder=encoder_of(_known(sender.facts)),
            decoder=decoder_of(_known(receiver.facts)),
            page_size=sender.facts.arch.page_size,
            zero_pages=DETECTION[sender.zero_pages],
            becomes_zero=True,
            fault=None,
            channels=(sender.channels, receiver.channels),
            goes_on=True,
            looks_late=looks_late,
            machine=machine,
            defaults=defaults,
            told=(_told(receiver), _told(sender)),
            tls=_tls(sender, receiver),
        )
    )


def _side(terms: Terms) -> Side:
    return Side(terms.name, framing(terms.method), terms.facts.dialect, qemu=True)


def _known(facts: Facts) -> list[str]:
    return [method for method in facts.methods if method in facts.dialect.flags]


def _told(terms: Terms) -> Told:
    return Told(terms.name, terms.facts, terms.method, terms.on, terms.parameters, terms.tls)


def _tls(sender: Terms, receiver: Terms) -> Tls | None:
    """Whether both speak it; whose certificates are good nobody has looked at."""
    if not (sender.tls or receiver.tls):
        return None
    held = Credential.X509
    return Tls(held if sender.tls else None, held if receiver.tls else None)
