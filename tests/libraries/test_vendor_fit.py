"""Libraries that are there and do not fit: too old, of the other QAT stack, without what they open themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from multifd.accelerator import VENDOR
from multifd.device import sysfs
from multifd.libraries import fit, packages

QATZIP, QPL = VENDOR["qatzip"], VENDOR["qpl"]
QATLIB = ("libusdm.so.0", "libqat.so.4", "libz.so.1")
THEIRS = ("libqat_s.so", "libusdm_drv_s.so", "libz.so.1")


def host(root: Path, release: str) -> sysfs.Host:
    """A recorded host of that distribution."""
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text(release)
    return sysfs.Host(root)


@pytest.mark.parametrize("version", ["1.1.2", "1.1.2-1", "1.2", "1.3.1", "2.0.0-2", "10.0", None, "unknown"])
def test_the_oldest_release_of_libqatzip_and_later_ones_fit(version: str | None) -> None:
    assert fit.problem(QATZIP, version) is None


@pytest.mark.parametrize("version", ["1.1.1", "1.1.0-3", "1.0.9", "0.9"])
def test_a_libqatzip_older_than_qemu_is_built_with_is_refused(version: str) -> None:
    assert fit.problem(QATZIP, version) == (
        f"is libqatzip {version}, expected at least 1.1.2, with which QEMU can be built"
    )


def test_each_stack_has_its_libqatzip() -> None:
    assert fit.stack(QATLIB, driver_package=False, fetched=True) == (None, None)
    assert fit.stack(THEIRS, driver_package=True, fetched=False) == (None, None)


def test_a_fetched_libqatzip_is_not_offered_to_the_driver_package() -> None:
    problem, warning = fit.stack(QATLIB, driver_package=True, fetched=True)

    assert (problem, warning) == (
        "is linked to qatlib's libqat.so.4, and Intel's driver package serves this host's devices:"
        " build QATzip with --with-ICP_ROOT and name its folder in the profile",
        None,
    )


def test_the_hosts_own_libqatzip_over_qatlib_computes_in_software_beside_the_driver_package() -> None:
    problem, warning = fit.stack(QATLIB, driver_package=True, fetched=False)

    assert problem is None
    assert warning is not None and "so it computes in software" in warning


def test_a_libqatzip_of_the_driver_package_computes_in_software_without_it() -> None:
    problem, warning = fit.stack(THEIRS, driver_package=False, fetched=False)

    assert problem is None
    assert warning is not None
    assert warning.startswith(
        "is linked to libqat_s.so and libusdm_drv_s.so of Intel's driver package, which does not run"
    )


def test_libqat_goes_with_a_qatmgr_of_its_release() -> None:
    assert fit.manager("26.08.0", "26.08") is None
    assert fit.manager("26.08.1", "26.08.0") is None


def test_libqat_refuses_a_qatmgr_of_another_release() -> None:
    warning = fit.manager("26.08.0", "24.02")

    assert warning is not None
    assert warning.startswith("is linked to the libqat of qatlib 26.08.0, and the qatmgr that runs is of 24.02: libqat")
    assert warning.endswith("systemctl restart qat")


@pytest.mark.parametrize(("ours", "theirs"), [(None, "24.02"), ("26.08.0", None), (None, None)])
def test_what_is_not_known_does_not_warn(ours: str | None, theirs: str | None) -> None:
    assert fit.manager(ours, theirs) is None


@pytest.mark.parametrize(
    ("release", "family", "command"),
    [
        ("ID=debian\n", "debian", "apt install libaccel-config1"),
        ("ID=ubuntu\nID_LIKE=debian\n", "ubuntu", "apt install libaccel-config1"),
        ('ID="fedora"\n', "fedora", "dnf install accel-config-libs"),
        ('ID="rhel"\nID_LIKE="fedora"\n', "rhel", "dnf install accel-config-libs"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "rhel", "dnf install accel-config-libs"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "suse", "zypper install libaccel-config1"),
        ('ID="sles"\n', "suse", "zypper install libaccel-config1"),
        ("ID=gentoo\n", None, "install it"),
    ],
)
def test_what_libqpl_opens_is_a_package_of_the_distribution(
    tmp_path: Path, release: str, family: str | None, command: str
) -> None:
    here = host(tmp_path, release)

    assert packages.family(here) == family
    assert fit.unopened(QPL.opens[0], here, fetched=False) == (
        f"opens libaccel-config.so.1, which is not there, so its hardware path answers status 501: {command}"
    )


def test_what_a_fetched_libqpl_opens_is_fetched(tmp_path: Path) -> None:
    assert fit.unopened(QPL.opens[0], host(tmp_path, "ID=debian\n"), fetched=True).endswith(": multifd vendor fetch")


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=fedora\n", "dnf install intel-qpl"),
        ("ID=rhel\nID_LIKE=fedora\n", "build it from github.com/intel/qpl"),
        ("ID=opensuse-tumbleweed\nID_LIKE=opensuse\n", "zypper install libqpl1"),
        ("ID=arch\n", "build it from github.com/intel/qpl"),
    ],
)
def test_a_distribution_without_the_package_builds_it(tmp_path: Path, release: str, command: str) -> None:
    assert packages.installation(QPL.packages, host(tmp_path, release), QPL.home) == command


@pytest.mark.skipif(
    packages.family(sysfs.Host()) not in ("debian", "ubuntu"), reason="apt is asked on Debian and Ubuntu"
)
def test_a_package_that_no_configured_suite_has_is_not_named() -> None:
    nowhere = {"debian": "no-such-package-as-this"}

    assert packages.installation(nowhere, sysfs.Host(), QPL.home) == "multifd vendor fetch"
