"""Architectures: what a guest of each needs, and that a real one has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.errors import InputError
from multifd.lineup.qemus import MEMORY, introduced, resolve_qemus, strangers
from multifd.qemu.arch import AARCH64, Q35, X86, arch_of, version_of
from multifd.qemu.facts import common_machine, read
from multifd.qemu.guest import Machine
from tests.qemu.host import ARM, QEMU, needs_arm, needs_qemu
from tests.qemu.recorded import answers

WITHIN = 20.0


@pytest.mark.parametrize(
    ("machine", "arch", "version"),
    [("pc-i440fx-7.2", X86, (7, 2)), ("pc-q35-10.0", X86, (10, 0)), ("virt-9.1", AARCH64, (9, 1))],
)
def test_a_machine_type_tells_architecture_and_version(machine: str, arch: object, version: tuple[int, int]) -> None:
    assert (arch_of(machine), version_of(machine)) == (arch, version)


def test_families_are_told_apart() -> None:
    said = answers("10.0")
    machines = [{"name": "pc-i440fx-10.0"}, {"name": "pc-q35-10.0"}, {"name": "pc-q35-9.2"}, {"name": "virt-10.0"}]

    facts = read(said["version"], said["schema"], machines)

    assert (facts.machines, facts.others) == (("pc-i440fx-10.0",), {Q35: ("pc-q35-9.2", "pc-q35-10.0")})
    assert common_machine(facts, family=Q35) == "pc-q35-10.0"


def test_an_architecture_that_nobody_knows_is_refused() -> None:
    said = answers("10.0")

    with pytest.raises(InputError) as error:
        read(said["version"], said["schema"], said["machines"], "riscv64")

    assert str(error.value) == "QEMU 10.0.13: is for riscv64, expected qemu-system-x86_64 or qemu-system-aarch64"


@pytest.mark.parametrize(("machine", "size"), [("pc-i440fx-7.2", 0), ("virt-7.2", 1 << 20)])
def test_what_a_reset_writes_belongs_to_the_architecture(machine: str, size: int) -> None:
    assert Machine(machine, Path("/ram"), MEMORY).arch.reset == size


@needs_qemu
@needs_arm
def test_one_version_of_two_architectures_has_two_names_and_no_cells_with_itself() -> None:
    assert ARM is not None
    pc, arm = introduced([QEMU, ARM], WITHIN)

    assert (pc.name, arm.name) == (f"qemu-{pc.facts.release}", f"qemu-{arm.facts.release}[arch=aarch64]")
    assert strangers([pc]) is None
    assert strangers([pc, arm]) == (
        "QEMUs of different architectures have no cells with each other, for no guest changes its own"
        f" (x86_64: {pc.name}; aarch64: {arm.name})"
    )


@needs_arm
def test_a_first_migration_of_virt_carries_what_was_in_its_ram_before_the_reset() -> None:
    assert ARM is not None

    (arm,) = resolve_qemus([ARM], WITHIN)

    assert arm.probe is None
    assert [*arm.machines] == [common_machine(arm.facts)]
