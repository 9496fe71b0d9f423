"""What a QEMU can do is read from its answers, which are those of real binaries here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from multifd.errors import InputError
from multifd.qemu.facts import Facts, common_machine, dialect_of, machine_dialect, read
from tests.qemu.recorded import VERSIONS, answers, facts


def with_machines(version: str, *machines: str) -> Facts:
    return facts(version).model_copy(update={"machines": machines})


def renamed(schema: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same schema with other names of types, which mean nothing, and in another order."""

    def other(name: str) -> str:
        return re.sub(r"\d+", r"type-\g<0>", name)

    def follow(entity: dict[str, Any]) -> dict[str, Any]:
        named = ("name", "arg-type", "element-type")
        entity = {key: other(value) if key in named else value for key, value in entity.items()}
        if entity["meta-type"] == "object":
            entity["members"] = [{**member, "type": other(member["type"])} for member in entity["members"]]
        return entity

    return [follow(entity) for entity in schema[::-1]]


# What is read


@pytest.mark.parametrize(
    ("version", "release", "package"),
    [
        ("7.2", "7.2.22", "Debian 1:7.2+dfsg-7+deb12u18+b3"),
        ("10.0", "10.0.13", "Debian 1:10.0.13+ds-0+deb13u1"),
        ("11.1", "11.1.3", "Debian 1:11.1.3+ds-1"),
    ],
)
def test_the_version_and_the_distributions(version: str, release: str, package: str) -> None:
    assert (facts(version).release, facts(version).package) == (release, package)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_methods_that_the_binary_was_built_with(version: str) -> None:
    assert facts(version).methods == ("none", "zlib", "zstd")


@pytest.mark.parametrize("version", VERSIONS)
def test_zero_page_detection_came_with_9_0(version: str) -> None:
    expected = () if version == "7.2" else ("none", "legacy", "multifd")

    assert facts(version).zero_pages == expected


@pytest.mark.parametrize(("version", "knows"), [("7.2", False), ("10.0", True), ("11.1", True)])
def test_the_capabilities_that_the_binary_knows(version: str, *, knows: bool) -> None:
    capabilities = facts(version).capabilities

    assert {"multifd", "return-path", "postcopy-preempt"} <= set(capabilities)
    assert ("switchover-ack" in capabilities) is knows


@pytest.mark.parametrize("version", VERSIONS)
def test_names_of_types_mean_nothing(version: str) -> None:
    said = answers(version)

    assert read(said["version"], renamed(said["schema"]), said["machines"]) == facts(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_newest_machine_type_is_as_old_as_the_binary(version: str) -> None:
    assert facts(version).machines[-1] == f"pc-i440fx-{version}"


def test_machine_types_are_in_the_order_of_their_versions() -> None:
    said = answers("7.2")

    machines = read(said["version"], said["schema"], said["machines"]).machines

    assert machines.index("pc-i440fx-2.9") < machines.index("pc-i440fx-2.12") < machines.index("pc-i440fx-7.2")
    assert all(machine.startswith("pc-i440fx-") for machine in machines)


def test_a_machine_type_may_have_its_version_in_the_alias() -> None:
    said = answers("10.0")
    machines = [{"name": "pc-10", "alias": "pc-i440fx-10.0"}, {"name": "none"}]

    assert read(said["version"], said["schema"], machines).machines == ("pc-i440fx-10.0",)


# What is refused


def test_a_qemu_without_multifd_compression() -> None:
    said = answers("7.2")
    version = {**said["version"], "qemu": {"major": 4, "minor": 2, "micro": 1}}
    for entity in said["schema"]:
        entity["members"] = [m for m in entity.get("members", ()) if m["name"] != "multifd-compression"]

    with pytest.raises(InputError) as error:
        read(version, said["schema"], said["machines"])

    assert str(error.value) == "QEMU 4.2.1: has no multifd-compression, expected 5.0 or later"


def test_a_qemu_that_is_no_pc() -> None:
    said = answers("10.0")

    with pytest.raises(InputError) as error:
        read(said["version"], said["schema"], [{"name": "virt-10.0", "alias": "virt"}, {"name": "none"}])

    assert str(error.value) == "QEMU 10.0.13: has no machine pc-i440fx, expected qemu-system-x86_64"


# Dialects


@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ((5, 0), "qemu-5.0"),
        ((7, 2), "qemu-5.0"),
        ((8, 2), "qemu-5.0"),
        ((9, 0), "qemu-9.0"),
        ((9, 1), "qemu-9.1"),
        ((9, 2), "qemu-9.2"),
        ((10, 0), "qemu-10.0"),
        ((10, 2), "qemu-10.0"),
        ((11, 1), "qemu-10.0"),
    ],
)
def test_a_version_speaks_the_newest_dialect_that_is_not_newer(version: tuple[int, int], dialect: str) -> None:
    assert dialect_of(version).name == dialect


def test_a_version_before_all_dialects_is_refused() -> None:
    with pytest.raises(InputError) as error:
        dialect_of((4, 2))

    assert str(error.value) == "QEMU is 4.2, expected 5.0 or later: multifd was another before"


@pytest.mark.parametrize(("version", "dialect"), [("7.2", "qemu-5.0"), ("10.0", "qemu-10.0"), ("11.1", "qemu-10.0")])
def test_a_binary_speaks_the_dialect_of_its_version(version: str, dialect: str) -> None:
    assert facts(version).dialect.name == dialect


@pytest.mark.parametrize(
    ("machine", "dialect"),
    [("pc-i440fx-7.2", "qemu-5.0"), ("pc-i440fx-9.0", "qemu-9.0"), ("pc-i440fx-11.1", "qemu-10.0")],
)
def test_the_main_channel_is_as_old_as_the_machine_type(machine: str, dialect: str) -> None:
    assert machine_dialect(machine).name == dialect


# Machine types that both ends have


@pytest.mark.parametrize(
    ("versions", "machine"),
    [
        (("7.2",), "pc-i440fx-7.2"),
        (("11.1",), "pc-i440fx-11.1"),
        (("7.2", "11.1"), "pc-i440fx-7.2"),
        (("11.1", "10.0"), "pc-i440fx-10.0"),
        (("10.0", "11.1", "7.2"), "pc-i440fx-7.2"),
    ],
)
def test_a_pairing_runs_the_newest_machine_type_of_both(versions: tuple[str, ...], machine: str) -> None:
    assert common_machine(*map(facts, versions)) == machine


@pytest.mark.parametrize("passed_over", ["pc-i440fx-8.1", "pc-i440fx-8.2"])
def test_machine_types_that_write_a_flush_word_before_9_0_are_passed_over(passed_over: str) -> None:
    both = (with_machines("7.2", "pc-i440fx-8.0", passed_over), with_machines("10.0", "pc-i440fx-8.0", passed_over))

    assert common_machine(*both) == "pc-i440fx-8.0"


@pytest.mark.parametrize("newest", ["pc-i440fx-8.0", "pc-i440fx-9.0"])
def test_their_neighbours_are_not(newest: str) -> None:
    assert common_machine(with_machines("10.0", "pc-i440fx-7.2", newest)) == newest


def test_machine_types_older_than_any_dialect_are_none() -> None:
    assert common_machine(with_machines("7.2", "pc-i440fx-4.2")) is None


def test_binaries_without_a_common_machine_type() -> None:
    old, new = with_machines("7.2", "pc-i440fx-5.0"), with_machines("11.1", "pc-i440fx-11.1")

    assert common_machine(old, new) is None
