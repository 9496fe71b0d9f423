"""Which package of this distribution has a library, and the command that installs it.

Debian and Ubuntu have libqatzip3 and libqpl1 in their newer releases only (Debian 13 and sid, Ubuntu 24.04): there apt
is asked. Fedora and RHEL have qatzip-libs (qatzip.spec.in, QATzip 1.3.1) and accel-config-libs (Makefile.am,
idxd-config 4.1.6), Fedora intel-qpl; openSUSE has libqatzip3, libqpl1 and libaccel-config1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from multifd.accelerator import VendorCodec
from multifd.device.sysfs import Host
from multifd.errors import EnvironmentBroke
from multifd.process.run import run

FETCH: Final = "multifd vendor fetch"
_INSTALL: Final = {
    "debian": "apt install",
    "ubuntu": "apt install",
    "fedora": "dnf install",
    "rhel": "dnf install",
    "suse": "zypper install",
}
_SECONDS: Final = 10.0


def installation(packages: Mapping[str, str], host: Host, home: str | None = None) -> str:
    """What to do to have a library, by the packages that have it and the distribution; ``home`` is its source."""
    name = family(host)
    package = packages.get({"ubuntu": "debian"}.get(name or "", name or ""))
    if name is not None and package is not None and _offered(name, package, host):
        return f"{_INSTALL[name]} {package}"
    if name in ("debian", "ubuntu"):
        return FETCH
    return f"build it from {home}" if home is not None else "install it"


def remedy(codec: VendorCodec, host: Host | None = None) -> str:
    """What to do to have a vendor's library on this host, or the one given."""
    return installation(codec.packages, host or Host(), codec.home)


def family(host: Host) -> str | None:
    """``debian``, ``ubuntu``, ``fedora``, ``rhel``, ``suse``; None for another distribution (os-release(5))."""
    lines = (line.partition("=") for line in (host.text("/etc/os-release") or "").splitlines())
    said = {key: value.strip("\"'") for key, _, value in lines}
    names = (part for key in ("ID", "ID_LIKE") for part in re.split(r"[\s-]+", said.get(key, "")))
    known = {**{name: name for name in _INSTALL}, "sles": "suse", "opensuse": "suse"}
    return next((known[name] for name in names if name in known), None)


def _offered(name: str, package: str, host: Host) -> bool:
    """Whether the configured suites of this host have the package; of another distribution the list is believed."""
    return name not in ("debian", "ubuntu") or not host.live or _candidate(package)


@cache
def _candidate(package: str) -> bool:
    """Whether apt could install it; half a second."""
    try:
        policy = run(("apt-cache", "policy", package), {"LC_ALL": "C"}, _SECONDS).output.decode(errors="replace")
    except EnvironmentBroke:
        return False
    return re.search(r"^  Candidate: (?!\(none\))", policy, re.MULTILINE) is not None
