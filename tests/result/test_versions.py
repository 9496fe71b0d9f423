"""Ranges of versions of which known issues speak."""

from __future__ import annotations

import pytest
from packaging.version import Version

from multifd.accelerator import VENDOR
from multifd.result import versions
from multifd.result.known import shipped
from multifd.result.record import Role
from multifd.result.versions import ALL, Release, Releases

BEFORE_9 = "QEMU >=5.0,<9.0 as receiver; QEMU >=9.0 as sender"


def qemus(sender: str | None, receiver: str | None) -> Releases:
    ends: dict[Role, str | None] = {"sender": sender, "receiver": receiver}
    return Releases({role: (Release("QEMU", version),) for role, version in ends.items()})


def alone(version: str | None, product: str = "libqatzip") -> Releases:
    return Releases({"sender": (Release(product, version),)})


@pytest.mark.parametrize(
    ("version", "inside"),
    [("1.3.0", False), ("1.3.1", True), ("1.3.1-1ubuntu2", True), ("2.0.0-2", True), ("2.0.1", False), ("10.0", False)],
)
def test_a_version_is_inside_or_outside_of_a_specifier(version: str, inside: bool) -> None:
    assert versions.meets("libqatzip >=1.3.1,<=2.0.0", alone(version)) is inside


@pytest.mark.parametrize(
    ("sender", "receiver", "inside"),
    [("10.0.2", "7.2.22", True), ("7.2.22", "10.0.2", False), ("10.0.2", "9.0.0", False), ("8.2.1", "7.2.22", False)],
)
def test_every_clause_must_hold_for_the_end_that_it_names(sender: str, receiver: str, inside: bool) -> None:
    assert versions.meets(BEFORE_9, qemus(sender, receiver)) is inside


@pytest.mark.parametrize(("sender", "receiver"), [("9.1.0", "7.2.0"), ("7.2.0", "9.1.0")])
def test_without_a_role_either_end_may_have_it(sender: str, receiver: str) -> None:
    assert versions.meets("QEMU ==9.1.*", qemus(sender, receiver))
    assert not versions.meets("QEMU ==9.2.*", qemus(sender, receiver))


def test_an_end_may_run_two_products() -> None:
    both = Releases({"sender": (Release("QEMU", "10.0.2"), Release("libqpl", "1.9.0"))})

    assert versions.meets("libqpl ==1.9.0; QEMU ==10.0.*", both)
    assert not versions.meets("libqpl ==1.8.0; QEMU ==10.0.*", both)


def test_a_version_that_nobody_knows_is_not_outside() -> None:
    assert versions.meets("libqatzip ==1.0", alone(None))
    assert list(versions.unknown("libqatzip ==1.0", alone(None))) == ["libqatzip"]


def test_another_product_is_not_outside_and_nothing_unknown() -> None:
    assert versions.meets("libqatzip ==1.0", alone("1.9.0", "libqpl"))
    assert list(versions.unknown("libqatzip ==1.0", alone(None, "libqpl"))) == []


def test_all_speaks_of_everybody() -> None:
    assert versions.meets(ALL, alone("0.1"))


def test_a_product_alone_means_all_of_its_versions() -> None:
    assert versions.meets("libqatzip", alone("0.1"))


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("1.9.0", "1.9.0"),
        ("1.9.0 (multifd 0.1.0)", "1.9.0"),
        ("1:10.0.2+ds-2+deb13u1", "10.0.2"),
        ("2.0.0-2", "2.0.0"),
        ("11.1.3 (Debian 1:11.1.3+ds-1)", "11.1.3"),
        ("1.3", "1.3"),
    ],
)
def test_a_version_begins_with_its_number(said: str, number: str) -> None:
    assert versions.number(said) == Version(number)


@pytest.mark.parametrize("said", [None, "", "unknown", "2.5 (API)", "2.15 (API) (multifd 0.1.0)"])
def test_what_is_no_version_is_unknown(said: str | None) -> None:
    assert versions.number(said) is None


def test_what_the_ends_run_is_said_in_words() -> None:
    assert versions.said(BEFORE_9, qemus("9.1.0", None)) == "QEMU of unknown version and QEMU 9.1.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5.0 to 9.1", "versions '5.0 to 9.1': expected 'all' or clauses 'PRODUCT SPECIFIER [as ROLE]'"),
        ("qemu >=5.0", "versions 'qemu >=5.0': expected 'all'"),
        ("QEMU >=5.0 as source", "versions 'QEMU >=5.0 as source': '>=5.0 as source' is no specifier of PEP 440"),
        ("QEMU 5.0", "versions 'QEMU 5.0': '5.0' is no specifier of PEP 440, such as '>=1.3.1,<=2.0.0'"),
        ("QEMU >=5.0;", "versions '': expected 'all'"),
    ],
)  # fmt: skip
def test_what_is_no_range_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        versions.clauses(text)

    assert str(error.value).startswith(message)


def test_shipped_issues_speak_of_qemu_and_of_the_vendors_libraries() -> None:
    products = {clause.product for issue in shipped() for clause in versions.clauses(issue.versions)}

    assert products == {"QEMU", *(codec.library for codec in VENDOR.values())}
