"""The host's own package mirrors, pointed at another suite.

apt knows two formats (``sources.list(5)``): one line per source in ``*.list``, and RFC 822 stanzas in
``*.sources``. Of all sources only those of the distribution itself carry newer suites: they have a component
``main`` and a suite that is the host's code name or a moving name of the distribution. Third parties use suites
of their own making. What the host trusts stays as it is: ``Signed-By`` is taken over word for word, and
``trusted=yes`` is not, so that a signature is always required.
"""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from multifd.accelerator import LIBRARIES, VENDOR
from multifd.errors import EnvironmentBroke

ARCHITECTURE: Final = "amd64"
"""The only architecture for which the vendors publish these libraries."""
_MACHINE: Final = "x86_64"
_MOVING: Final = frozenset({"oldoldstable", "oldstable", "stable", "testing", "unstable", "sid", "devel"})
NEWEST: Final = {"debian": "sid", "ubuntu": "devel"}
"""The suite of each distribution that has the newest packages."""
ELSEWHERE: Final = (
    f"install {LIBRARIES} by hand ({', '.join(codec.home for codec in VENDOR.values())}) into /usr/local,"
    " or name their folder in the hardware profile"
)
"""The next step where there is nothing to fetch from."""


@dataclass(frozen=True)
class Source:
    """One source of binary packages; ``signed_by`` is apt's ``Signed-By``: keyrings, fingerprints or a key."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def stanza(self, suites: Sequence[str]) -> str:
        """The same mirror and keys with other suites, as a stanza of a ``.sources`` file."""
        fields = {
            "Types": "deb",
            "URIs": " ".join(self.uris),
            "Suites": " ".join(suites),
            "Components": " ".join(self.components),
            "Architectures": ARCHITECTURE,
            "Signed-By": self.signed_by,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


@dataclass(frozen=True)
class Release:
    """What distribution the host is, after ``os-release(5)``."""

    name: str
    family: str
    """``debian`` or ``ubuntu``."""
    codenames: frozenset[str]

    @classmethod
    def of(cls, root: Path = Path("/")) -> Self:
        """Read ``etc/os-release``; raises :class:`EnvironmentBroke` unless it is Debian, Ubuntu or made from them."""
        try:
            lines = (root / "etc/os-release").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        fields = {name: " ".join(shlex.split(value)) for name, _, value in (line.partition("=") for line in lines)}
        name = fields.get("PRETTY_NAME", "unknown")
        related = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
        family = next((one for one in related if one in NEWEST), None)
        if family is None:
            raise EnvironmentBroke(f"distribution is {name!r}, expected Debian or Ubuntu; {ELSEWHERE}")
        keys = ("VERSION_CODENAME", "UBUNTU_CODENAME", "DEBIAN_CODENAME")
        return cls(name, family, frozenset(fields[key] for key in keys if key in fields))


def check_machine(machine: str | None = None) -> None:
    """Raise :class:`EnvironmentBroke` unless the processor is x86-64; ``machine`` as ``uname -m`` prints it."""
    machine = machine or platform.machine()
    if machine != _MACHINE:
        raise EnvironmentBroke(
            f"architecture is {machine!r}, expected {_MACHINE!r}: {LIBRARIES} exist for nothing else;"
            " emulated peers run here"
        )


def configured(root: Path = Path("/")) -> tuple[Source, ...]:
    """Every enabled source of binary packages in ``etc/apt``, in apt's order."""
    apt = root / "etc/apt"
    parts = sorted((apt / "sources.list.d").glob("*"))
    found: list[Source] = []
    for path in (apt / "sources.list", *parts):
        parse = {".list": one_line, ".sources": deb822}.get(path.suffix)
        if parse is None or not path.is_file():
            continue
        try:
            found += parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise EnvironmentBroke(f"{path}: cannot read: {problem}") from None
    return tuple(found)


def one_line(text: str) -> Iterator[Source]:
    """Sources of the format ``deb [signed-by=KEYRING] URI SUITE COMPONENT...``."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match is None:
            continue
        options, uri, suite, components = match.groups()
        named = dict(option.partition("=")[::2] for option in (options or "").split())
        keyrings = named.get("signed-by", "").replace(",", " ")
        yield Source((uri,), (suite,), tuple(components.split()), keyrings)


def deb822(text: str) -> Iterator[Source]:
    """Sources of the format of ``*.sources``: stanzas of fields, whose lines may continue."""
    plain = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n[ \t]*\n", plain):
        pairs = re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, flags=re.MULTILINE)
        fields = {name.lower(): value.rstrip() for name, value in pairs}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        uris, suites, components = (tuple(fields.get(name, "").split()) for name in ("uris", "suites", "components"))
        yield Source(uris, suites, components, fields.get("signed-by", ""))


def of_distribution(sources: Iterable[Source], release: Release) -> tuple[Source, ...]:
    """The distribution's own archive among these; raises :class:`EnvironmentBroke` when there is none."""
    own = tuple(
        source
        for source in sources
        if "main" in source.components and not (release.codenames | _MOVING).isdisjoint(source.suites)
    )
    if not own:
        names = ", ".join(sorted(release.codenames)) or "unknown"
        raise EnvironmentBroke(
            f"/etc/apt has no source with component 'main' and suite {names}; add the distribution's own archive"
            f" to /etc/apt/sources.list, or {ELSEWHERE}"
        )
    return own


def pointed_at(suites: Sequence[str], root: Path = Path("/")) -> str:
    """A ``.sources`` file: the host's own archive with these suites; raises what the parts raise."""
    own = of_distribution(configured(root), Release.of(root))
    return "\n".join(dict.fromkeys(source.stanza(suites) for source in own))
