"""What is known of a release by its number is what binaries of it have said."""

from __future__ import annotations

import pytest

from multifd.advice.releases import release, shared, untold
from multifd.errors import InputError
from multifd.qemu.arch import AARCH64, version_of
from tests.qemu.recorded import VERSIONS, defaults, facts


@pytest.mark.parametrize("version", VERSIONS)
def test_machine_types_are_those_of_the_binary_from_5_0_on(version: str) -> None:
    known = [machine for machine in facts(version).machines if version_of(machine) >= (5, 0)]

    assert list(release(f"qemu-{version}").machines) == known


@pytest.mark.parametrize("version", VERSIONS)
def test_dialect_and_zero_page_modes_are_those_of_the_binary(version: str) -> None:
    said = facts(version)

    told = release(said.release)

    assert (told.version, told.dialect, set(told.zero_pages)) == (said.version, said.dialect, set(said.zero_pages))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_release_can_be_built_with_all_methods_of_the_binary(version: str) -> None:
    assert set(facts(version).methods) <= set(release(version).methods)


@pytest.mark.parametrize("version", VERSIONS)
def test_defaults_are_those_of_every_machine_type_that_was_asked(version: str) -> None:
    for machine, said in defaults(version).items():
        told = untold(release(version), machine)

        assert (told.zero_pages, told.channels, told.method) == (said.zero_pages, said.channels, said.method)


@pytest.mark.parametrize(("version", "zero_pages"), [("8.2", "legacy"), ("9.0", "multifd")])
def test_a_machine_type_without_a_version_is_as_new_as_its_qemu(version: str, zero_pages: str) -> None:
    assert untold(release(version), "microvm").zero_pages == zero_pages


@pytest.mark.parametrize(
    ("one", "other", "machine"),
    [
        ("7.2", "11.1", "pc-i440fx-7.2"),
        ("11.1", "10.0", "pc-i440fx-10.0"),
        ("11.1", "5.2", "pc-i440fx-5.2"),
        ("11.1", "5.1", None),
        ("11.0", "5.1", "pc-i440fx-5.1"),
        ("10.1", "5.0", "pc-i440fx-5.0"),
    ],
)
def test_two_releases_share_the_newest_machine_type_that_neither_lacks(
    one: str, other: str, machine: str | None
) -> None:
    assert shared(release(one), release(other)) == machine


def test_another_architecture_has_its_own_machine_types() -> None:
    assert release("7.2", AARCH64).machines[-1] == "virt-7.2"


@pytest.mark.parametrize("text", ["4.2", "7.3", "qemu-9.9.1", "0.0"])
def test_a_release_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"there is no QEMU .* expected 5\.0, 5\.1, 5\.2, 6\.0 and so on"):
        release(text)


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(InputError, match=r"version 'seven': expected one such as qemu-7\.2"):
        release("seven")
