"""Of which release a library is, without loading it.

Its package tells (dpkg, rpm), or the pkg-config file beside it (:mod:`multifd.device.installed`); where neither is
there, the file's own name does, and else the functions that came with a release. libqpl names its file after the
release (CMakeLists.txt, qpl 1.9.0, ``VERSION``). libtool names that of libqatzip after the interface (configure.ac,
QATzip 1.1.0 to 1.3.1, ``LIBQATZIP_VERSION``; the file of 2.0.0 is that of Debian's package), which says as much as the
table below. All of its functions are exported, because nothing hides them.

libqat says its release in a string of its own, ``QAT_SOFTWARE_VERSION=`` (icp_sal_versions.h, qatlib 21.11 to 26.08).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from multifd.device import installed
from multifd.errors import InputError
from multifd.libraries import elf

_FILES: Final = {"3.0.0": "1.1.0", "3.0.1": "1.1.1", "3.0.2": "1.1.2", "3.0.3": "1.2", "3.2.0": "1.3", "3.3.0": "2.0.0"}
"""Releases of QATzip by the end of the file's name; what they have in common where several have the same."""
_BROUGHT: Final = (("qzSetupSessionZstd", "2.0"), ("qzSetLogLevel", "1.3"), ("qzAllocateMetadata", "1.1.2"))
"""Functions of QATzip and what came with them, newest first; 1.1.1, nowhere packaged, has the last one as well."""
_BEFORE: Final = "1.1.0"
QATLIB: Final = re.compile(r"libqat\.so\.\d+")
"""qatlib's library, of the kernel's own driver."""
DRIVER_PACKAGE: Final = ("libqat_s.so", "libusdm_drv_s.so")
"""Those of Intel's driver package (configure.ac, QATzip 1.3.1, ``--with-ICP_ROOT``)."""
CALLED: Final = {
    "qatzip": (
        *("qzInit", "qzGetDefaultsDeflate", "qzSetupSessionDeflate", "qzMaxCompressedLength", "qzMalloc", "qzFree"),
        *("qzCompress", "qzDecompress", "qzTeardownSession", "qzClose"),
    ),
    "qpl": ("qpl_get_job_size", "qpl_init_job", "qpl_execute_job", "qpl_submit_job", "qpl_wait_job", "qpl_fini_job"),
}
"""What QEMU calls (migration/multifd-qatzip.c and multifd-qpl.c, QEMU 9.2), and the bindings with it."""
_SAID: Final = re.compile(rb"QAT_SOFTWARE_VERSION=(\d+)\.(\d+)\.(\d+)")


def of_file(name: str, path: Path) -> str | None:
    """That of the library of one codec, as far as anything tells; None where nothing does."""
    real = path.resolve()
    return installed.release(real) or _named(name, real) or _by_functions(name, real)


def of_libqat(path: Path) -> str | None:
    """``26.08.0``; None for a library that does not say, as those before 21.11."""
    try:
        found = _SAID.search(path.read_bytes())
    except OSError:
        return None
    return "{}.{:02}.{}".format(*map(int, found.groups())) if found else None


def libqat(path: Path, folders: Sequence[Path] = ()) -> Path | None:
    """The qatlib that a libqatzip is linked to, as the loader finds it; None if there is none.

    ``folders`` are those that the loader is told.
    """
    try:
        needed = next(filter(QATLIB.fullmatch, elf.read(path).libraries), None)
    except InputError:
        return None
    if needed is None:
        return None
    told = (folder / needed for folder in folders)
    return next((file for file in told if file.is_file()), None) or installed.located(needed)


def _named(name: str, path: Path) -> str | None:
    numbers = re.search(r"\.so\.(\d+\.\d+\.\d+)$", path.name)
    if numbers is None:
        return None
    return numbers[1] if name == "qpl" else _FILES.get(numbers[1])


def _by_functions(name: str, path: Path) -> str | None:
    if name != "qatzip":
        return None
    try:
        functions = elf.functions(path)
    except InputError:
        return None
    if not functions.issuperset(CALLED["qatzip"]):
        return None  # it passes on to another library, or has no section headers
    return next((release for function, release in _BROUGHT if function in functions), _BEFORE)
