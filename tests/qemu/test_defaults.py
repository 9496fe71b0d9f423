"""What a machine type runs with if nobody sets anything, asked of real binaries."""

from __future__ import annotations

import pytest

from multifd.errors import EnvironmentBroke
from multifd.qemu.ask import ask
from multifd.qemu.binary import Binary
from multifd.qemu.defaults import defaults, read
from tests.qemu.host import BINARIES, QEMU, needs_qemu
from tests.qemu.recorded import defaults as recorded

WITHIN = 20.0
OLD, NEW = "pc-i440fx-7.2", "pc-i440fx-11.1"


@pytest.mark.parametrize(
    ("version", "machine", "mode"), [("7.2", OLD, "legacy"), ("11.1", OLD, "legacy"), ("11.1", NEW, "multifd")]
)
def test_the_machine_type_decides_where_zero_pages_go(version: str, machine: str, mode: str) -> None:
    assert recorded(version)[machine].zero_pages == mode


def test_a_binary_that_has_no_name_for_it_does_what_is_called_legacy_since() -> None:
    assert read({"multifd-channels": 2, "multifd-compression": "none"}).zero_pages == "legacy"


@pytest.mark.parametrize(("version", "together"), [("7.2", True), ("10.0", False), ("11.1", True)])
def test_postcopy_may_be_on_beside_multifd_or_not(version: str, *, together: bool) -> None:
    assert recorded(version)[OLD].postcopy_beside_multifd is together


@needs_qemu
@pytest.mark.parametrize("binary", BINARIES, ids=lambda binary: binary.program)
def test_a_real_binary_says_of_its_own_machine_type_what_was_recorded(binary: Binary) -> None:
    facts = ask(binary, WITHIN)
    machine = facts.machines[-1]

    told = defaults(binary, [machine], WITHIN)[machine]

    expected = "multifd" if facts.version >= (9, 0) else "legacy"
    assert (told.zero_pages, told.channels, told.method) == (expected, 2, "none")


@needs_qemu
def test_a_machine_type_that_there_is_not_is_the_environments_fault() -> None:
    with pytest.raises(EnvironmentBroke, match="unsupported machine type"):
        defaults(QEMU, ["pc-i440fx-99.0"], WITHIN)
