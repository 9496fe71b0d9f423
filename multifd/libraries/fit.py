"""Whether a library that is there is one that a run can use, and whether it can reach the device.

A *problem* keeps it from being used at all: it is older than what QEMU is built with, or it was fetched together with
qatlib, whose libqat takes virtual functions for itself that Intel's driver package serves. A *warning* leaves its
software path:

* libqat and the qatmgr that runs are of different releases: libqat refuses the answer (qat_mgr_client.c, qatlib 21.11
  to 26.08, "received response from incompatible qatmgr"), and libqatzip goes on in software without a word;
* libqatzip is linked to the libqat of the other stack;
* the library that libqpl opens for its hardware path is not there.
"""

from __future__ import annotations

from collections.abc import Collection

from packaging.version import Version

from multifd.accelerator import Opened, VendorCodec
from multifd.device.sysfs import Host
from multifd.libraries.packages import FETCH, installation
from multifd.libraries.release import DRIVER_PACKAGE, QATLIB
from multifd.result.versions import number


def problem(codec: VendorCodec, version: str | None) -> str | None:
    """Why a library is too old."""
    found = number(version)
    if found is None or found >= Version(codec.minimum):
        return None
    return f"is {codec.library} {version}, expected at least {codec.minimum}, with which QEMU can be built"


def stack(needed: Collection[str], *, driver_package: bool, fetched: bool) -> tuple[str | None, str | None]:
    """Problem and warning of a libqatzip that needs these libraries; ``driver_package`` serves the host's devices."""
    theirs = [name for name in needed if name in DRIVER_PACKAGE]
    ours = next(filter(QATLIB.fullmatch, needed), None)
    if driver_package and ours is not None:
        what = f"is linked to qatlib's {ours}, and Intel's driver package serves this host's devices"
        remedy = "build QATzip with --with-ICP_ROOT and name its folder in the profile"
        return (f"{what}: {remedy}", None) if fetched else (None, f"{what}, so it computes in software: {remedy}")
    if theirs and not driver_package:
        return None, (
            f"is linked to {' and '.join(theirs)} of Intel's driver package, which does not run here: on a device of"
            " the kernel's own driver it computes in software; one that is linked to qatlib does not"
        )
    return None, None


def manager(libqat: str | None, qatmgr: str | None) -> str | None:
    """The warning where libqat and the qatmgr that runs are of releases that do not go together."""
    ours, theirs = number(libqat), number(qatmgr)
    if ours is None or theirs is None or ours.release[:2] == theirs.release[:2]:
        return None
    return (
        f"is linked to the libqat of qatlib {libqat}, and the qatmgr that runs is of {qatmgr}: libqat refuses another"
        " release, so it computes in software: use the libqatzip and libqat of the qatmgr's own packages, or after an"
        " update systemctl restart qat"
    )


def unopened(library: Opened, host: Host, *, fetched: bool) -> str:
    """The warning of a library that it opens itself, and that is not there."""
    how = FETCH if fetched else installation(library.packages, host)
    return f"opens {library.soname}, which is not there, so {library.without}: {how}"
