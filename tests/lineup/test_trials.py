"""Every declaration is tried: what is declared is what is seen, and whatever is declared otherwise is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, Final, TypeAlias

import pytest

from multifd.codec import create_peer
from multifd.framing.coder import Codec, DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.lineup.reading import DECODER
from multifd.lineup.trials import cases
from multifd.lineup.writing import ENCODER
from multifd.peer.trial import make

Capability: TypeAlias = EncoderCapability | DecoderCapability

CODECS: Final = (
    "zlib", "zlib[level=0]", "zlib[window=12]", "zlib-ng", "isal[level=0]", "isal", "libdeflate", "zstd",
    "uadk-emulated", "iaa-emulated", "iaa-emulated[stream=1]", "iaa-emulated[huffman=1]", "qat-emulated",
    "qat-emulated[stream=1]", "qat-emulated[buffer=1]", "qat-emulated[buffer=8]",
    "qat-emulated[buffer=8,threshold=65536]", "qat-emulated[verify=1,recover=1]",
    "qat-emulated[device=0]",
)  # fmt: skip
"""Each that declares something else, but for those that need a vendor library and those that fail now and then."""


def contradictions(codec: Codec, encoder: EncoderCapability | None, decoder: DecoderCapability | None) -> list[str]:
    asked = cases(encoder, decoder)
    given = b"".join(part for case in asked for part in case.given)
    attempts, made = make(codec, [case.trial() for case in asked], given)
    found, at = [], 0
    for case, attempt in zip(asked, attempts, strict=True):
        outputs = []
        for size in attempt.made:
            outputs.append(made[at : at + size])
            at += size
        text = case.contradiction(attempt, outputs, case.declared(encoder, decoder))
        if text is not None:
            found.append(text)
    return found


@pytest.mark.parametrize("name", CODECS)
def test_what_a_codec_declares_is_what_is_seen(name: str) -> None:
    codec = create_peer(name)

    assert contradictions(codec, codec.encoder, codec.decoder) == []


@pytest.mark.parametrize(("kind", "table"), [(EncoderCapability, ENCODER), (DecoderCapability, DECODER)])
def test_every_field_of_a_capability_is_tried(kind: type[Capability], table: dict[str, object]) -> None:
    assert set(table) == {field.name for field in fields(kind)}


def otherwise(value: Any) -> Iterator[Any]:
    """Every other thing that a field could say, by what kind of thing it says."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value - 1, value + 1)
        case None:
            yield 64 << 10
        case frozenset() if all(isinstance(each, Container) for each in value):
            coded = (each for each in Container if each is not Container.NONE)
            yield from filter(None, (value ^ {each} for each in coded))
        case frozenset():
            edges = sorted({min(value) - 1, min(value), max(value), max(value) + 1})
            yield from filter(None, (value ^ {edge} for edge in edges))


def unseen(capability: Capability, field: str, lie: Any) -> bool:
    """Nobody can tell it from the truth: it says nothing of what is ever done."""
    if isinstance(capability, EncoderCapability):
        return unseen_of_a_sender(capability, field, lie)
    return unseen_of_a_receiver(capability, field, lie)


def unseen_of_a_sender(encoder: EncoderCapability, field: str, lie: Any) -> bool:
    zstd, largest = Container.ZSTD in encoder.containers, max(encoder.windows)
    matches = encoder.shrinks and not zstd
    nothing: dict[str, Callable[[], object]] = {
        "windows": lambda: (lie ^ encoder.windows) - set(range(10, 28) if zstd else range(9, 16)),
        "reach": lambda: not matches or lie > 15 or min(lie, largest) == min(encoder.reach, largest),
        "forgets": lambda: not matches or not encoder.streaming,
        "member": lambda: lie % 2,
        "stores": lambda: not encoder.shrinks or lie,
        "whole_below": lambda: encoder.member is None or max(lie, encoder.whole_below) <= encoder.member + 1,
    }
    return field in nothing and bool(nothing[field]())


def unseen_of_a_receiver(decoder: DecoderCapability, field: str, lie: Any) -> bool:
    read = decoder.containers
    nothing: dict[str, Callable[[], object]] = {
        "window": lambda: lie > (28 if Container.ZSTD in read else 15),
        "members": lambda: (lie ^ decoder.members) - read,
        "member": lambda: Container.FOUR_B not in decoder.members or decoder.member is not None,
        "skips_header": lambda: (lie ^ decoder.skips_header) - (read - {Container.RAW}),
        "needs_trailer": lambda: Container.ZLIB not in read,
        "checks_end": lambda: not read - decoder.members - {Container.FOUR_B},
    }
    return field in nothing and bool(nothing[field]())


def lies() -> Iterator[Any]:
    for name in CODECS:
        codec = create_peer(name)
        for role, capability in (("sender", codec.encoder), ("receiver", codec.decoder)):
            assert capability is not None
            for field in fields(capability):
                for lie in otherwise(getattr(capability, field.name)):
                    if not unseen(capability, field.name, lie):
                        says = ",".join(map(str, sorted(lie))) if isinstance(lie, frozenset) else lie
                        yield pytest.param(name, role, field.name, lie, id=f"{name} {role} {field.name} {says}")


@pytest.mark.parametrize(("name", "role", "field", "lie"), [*lies()])
def test_what_is_declared_otherwise_is_found_out(name: str, role: str, field: str, lie: Any) -> None:
    codec = create_peer(name)
    encoder, decoder = codec.encoder, codec.decoder
    assert encoder is not None and decoder is not None
    if role == "sender":
        encoder = replace(encoder, **{field: lie})
    else:
        decoder = replace(decoder, **{field: lie})

    found = contradictions(codec, encoder, decoder)

    says = ", ".join(map(str, sorted(lie))) if isinstance(lie, frozenset) else lie
    assert any(text.startswith(f"as {role} it declares {field} {says}; observed: ") for text in found)


def test_a_threshold_that_is_not_declared_at_all_is_found_out() -> None:
    codec = create_peer("qat-emulated[buffer=8,threshold=65536]")
    assert codec.encoder is not None

    (found,) = contradictions(codec, replace(codec.encoder, whole_below=0), None)

    assert found == (
        "as sender it declares whole_below 0; observed: 2 members for 8193 bytes: not done (something else came of it)"
    )


@pytest.mark.parametrize(
    "name",
    [
        "qat-emulated[verify=3,recover=1]",
        "qat-emulated[verify=3,recover=1,buffer=8,threshold=65536]",
        "iaa-emulated[busy=3,fault=4]",
    ],
)
def test_what_is_stored_now_and_then_must_be_declared(name: str) -> None:
    codec = create_peer(name)
    assert codec.encoder is not None and codec.encoder.stores

    declared = contradictions(codec, codec.encoder, None)
    found = contradictions(codec, replace(codec.encoder, stores=False), None)

    text = "as sender it declares stores False; observed: text that is not made smaller now and then: done"
    assert text in found
    assert not any("declares stores" in each for each in declared)
