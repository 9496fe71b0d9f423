"""Which vendor libraries a run scrutinizes by themselves, and why it leaves others out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from multifd.accelerator import VENDOR
from multifd.device.found import Device
from multifd.libraries.find import Library
from multifd.libraries.packages import remedy
from multifd.lineup.subjects import subjects
from multifd.profile.model import DeviceEntry, PeerEntry, Policy, Profile

LIBRARY = Library("qatzip", Path("/lib/libqatzip.so.3"), "2.0.0", "host", (), (2, 36))
QPL = Library("qpl", Path("/lib/libqpl.so.1"), "1.9.0", "host", (), (2, 36))


def wanted(policy: Policy | None) -> Profile:
    devices = {} if policy is None else {"qat": DeviceEntry(policy=policy)}
    return Profile(description="any", peers=(PeerEntry(codec="none"),), devices=devices)


def found(_: Sequence[Path]) -> dict[str, Library]:
    return {"qatzip": LIBRARY}


@pytest.mark.parametrize("policy", ["use", "require"])
def test_a_library_that_is_wanted_and_there_is_scrutinized(policy: Policy) -> None:
    chosen = subjects(wanted(policy), (), found)

    assert (chosen.libraries, chosen.skips) == ({"qatzip": LIBRARY}, {"qatzip": None})


def test_a_library_that_is_not_there_is_skipped_with_the_remedy() -> None:
    chosen = subjects(wanted("use"), (), lambda _: {})

    assert (chosen.libraries, chosen.skips) == (
        {}, {"qatzip": "libqatzip is not on this host; remedy: multifd vendor fetch"},
    )  # fmt: skip


@pytest.mark.parametrize("policy", ["emulate", "skip"])
def test_a_library_that_the_profile_does_without_is_skipped(policy: Policy) -> None:
    chosen = subjects(wanted(policy), (), found)

    assert chosen.skips == {"qatzip": "the profile does not use QAT; remedy: devices.qat.policy use"}


def test_a_device_that_the_profile_does_not_name_takes_no_part() -> None:
    assert subjects(wanted(None), (), found).skips == {}


def test_libqatzip_is_not_scrutinized_where_it_would_use_a_device() -> None:
    device = Device("qat", "4xxx", None, "4", {}, (), ())

    assert subjects(wanted("use"), (device,), found).skips == {
        "qatzip": "libqatzip would use the device, this is about its CPU path; remedy: a host without one"
    }


@pytest.mark.parametrize("version", ["1.1.2", "1.2", "1.2.0-0ubuntu3"])
def test_a_libqatzip_that_lacks_what_the_checks_call_is_skipped_before_the_run(version: str) -> None:
    chosen = subjects(wanted("use"), (), lambda _: {"qatzip": replace(LIBRARY, version=version)})

    assert chosen.libraries == {}
    assert chosen.skips == {
        "qatzip": f"libqatzip {version} lacks functions that the checks call, expected 1.3 or later;"
        f" remedy: {remedy(VENDOR['qatzip'])}"
    }


@pytest.mark.parametrize("version", ["1.3", "1.3.1-1", None])
def test_a_libqatzip_that_has_them_or_does_not_say_is_scrutinized(version: str | None) -> None:
    chosen = subjects(wanted("use"), (), lambda _: {"qatzip": replace(LIBRARY, version=version)})

    assert chosen.skips == {"qatzip": None}


def test_libqpl_is_scrutinized_beside_a_device_for_it_can_be_kept_from_it() -> None:
    device = Device("iaa", "iax1", None, "spr", {}, (), ())
    profile = Profile(
        description="any", peers=(PeerEntry(codec="none"),), devices={"iaa": DeviceEntry(policy="require")}
    )

    assert subjects(profile, (device,), lambda _: {"qpl": QPL}).skips == {"qpl": None}
