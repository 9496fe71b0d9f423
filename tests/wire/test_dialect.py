"""The generations of the wire: which flags each knows, and what its mask hides."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.errors import InputError
from multifd.wire.dialect import (
    DIALECTS,
    FLAG_SYNC,
    Dialect,
    MainSync,
    SyncCarrier,
    ZeroPages,
    dialect,
)

NAMES: Final = ("qemu-5.0", "rfc-2023", "qemu-9.0", "qemu-9.1", "qemu-9.2", "qemu-10.0")

MEANING: Final[dict[int, tuple[str | None, ...]]] = {
    0x00: ("none", "none", "none", "none", "none", "none"),
    0x02: ("zlib", "zlib", "zlib", "zlib", "zlib", "zlib"),
    0x04: ("zstd", "zstd", "zstd", "zstd", "zstd", "zstd"),
    0x06: (None, "qatzip", None, None, None, None),
    0x08: (None, None, None, "qpl", "qpl", "qpl"),
    0x0A: (None, None, None, None, None, None),
    0x10: ("none", "none", "none", "uadk", "uadk", "uadk"),
    0x12: ("zlib", "zlib", "zlib", None, None, None),
    0x20: ("none", "none", "none", "none", "qatzip", "qatzip"),
    0x22: ("zlib", "zlib", "zlib", "zlib", None, None),
    0x40: ("none", "none", "none", "none", "none", "none"),
}
"""What a receiver of each dialect takes packet flags for; a method outside its mask reads as what is left."""


def test_dialects_are_listed_from_the_oldest() -> None:
    assert tuple(DIALECTS) == NAMES
    assert [d.order for d in DIALECTS.values()] == list(range(len(NAMES)))


@pytest.mark.parametrize(
    ("flags", "name", "method"),
    [(flags, name, row[at]) for flags, row in MEANING.items() for at, name in enumerate(NAMES)],
)
@pytest.mark.parametrize("sync", [0, FLAG_SYNC], ids=["", "sync"])
def test_flags_mean_what_the_mask_shows_of_them(flags: int, name: str, method: str | None, sync: int) -> None:
    assert dialect(name).method_of(flags | sync) == method


@pytest.mark.parametrize("known", DIALECTS.values(), ids=NAMES)
def test_every_method_is_read_as_itself_by_its_own_dialect(known: Dialect) -> None:
    assert tuple(known.method_of(known.flag(method)) for method in known.methods) == known.methods


@pytest.mark.parametrize(
    ("name", "mask", "methods"),
    [
        ("qemu-5.0", 0x0E, "none zlib zstd"),
        ("rfc-2023", 0x0E, "none zlib zstd qatzip"),
        ("qemu-9.0", 0x0E, "none zlib zstd"),
        ("qemu-9.1", 0x1E, "none zlib zstd qpl uadk"),
        ("qemu-9.2", 0x3E, "none zlib zstd qpl uadk qatzip"),
        ("qemu-10.0", 0x3E, "none zlib zstd qpl uadk qatzip"),
    ],
)
def test_each_generation_added_methods_and_widened_the_mask(name: str, mask: int, methods: str) -> None:
    assert (dialect(name).mask, dialect(name).methods) == (mask, tuple(methods.split()))


@pytest.mark.parametrize(
    ("name", "zero_pages", "sync", "main_sync", "device_state"),
    [
        ("qemu-5.0", ZeroPages.MAIN, SyncCarrier.DATA, MainSync.EOS, None),
        ("rfc-2023", ZeroPages.MAIN, SyncCarrier.DATA, MainSync.FLUSH, None),
        ("qemu-9.0", ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, None),
        ("qemu-9.1", ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, None),
        ("qemu-9.2", ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, None),
        ("qemu-10.0", ZeroPages.PACKET, SyncCarrier.OWN, MainSync.FLUSH, 64),
    ],
)
def test_zero_pages_sync_and_device_state_by_generation(
    name: str, zero_pages: ZeroPages, sync: SyncCarrier, main_sync: MainSync, device_state: int | None
) -> None:
    known = dialect(name)

    assert (known.zero_pages, known.sync, known.main_sync, known.device_state) == (
        zero_pages,
        sync,
        main_sync,
        device_state,
    )


def test_a_method_that_the_dialect_does_not_have_is_named() -> None:
    with pytest.raises(InputError) as caught:
        dialect("qemu-9.1").flag("qatzip")

    assert str(caught.value) == (
        "method 'qatzip' does not exist in dialect qemu-9.1; expected one of none, zlib, zstd, qpl, uadk"
    )


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(InputError) as caught:
        dialect("qemu-4.2")

    assert str(caught.value) == (
        "dialect 'qemu-4.2' is unknown; expected one of qemu-5.0, rfc-2023, qemu-9.0, qemu-9.1, qemu-9.2, qemu-10.0"
    )
