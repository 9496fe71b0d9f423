"""Of which versions a known issue speaks, and whether a cell has one of them.

A range is clauses with ``;`` between them, all of which must hold, each ``PRODUCT [SPECIFIER] [as ROLE]``::

    libqatzip >=1.3.1,<=2.0.0
    QEMU >=5.0,<9.0 as receiver; QEMU >=9.0 as sender
    all

A specifier is that of PEP 440, without one every version is meant; without a role either end may have it. ``<=11.1``
leaves 11.1.3 out, ``<11.2`` does not. ``all`` speaks of no product. An end that is another product, or whose version
nobody knows, is not outside of a range: nothing shows that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, cast, get_args

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from multifd.result.record import Role

ALL: Final = "all"
_EXPECTED: Final = f"expected '{ALL}' or clauses 'PRODUCT SPECIFIER [as ROLE]' with ';' between them"
_CLAUSE: Final = re.compile(rf"(QEMU|lib[a-z0-9]+)(?:\s+([^a-z].*?))?(?:\s+as\s+({'|'.join(get_args(Role))}))?")


@dataclass(frozen=True)
class Release:
    """What an end of a cell runs."""

    product: str
    version: str | None
    """As the product or its package says it; None where nobody knows."""


@dataclass(frozen=True)
class Releases:
    """What the ends of a cell run, as far as it is QEMU or a vendor's library; an end may run both."""

    ends: Mapping[Role, tuple[Release, ...]] = field(default_factory=dict)

    def of(self, product: str, role: Role | None) -> tuple[Release, ...]:
        """Those of one product, at both ends without a role."""
        ends = (releases for end, releases in self.ends.items() if role in (None, end))
        return tuple(each for releases in ends for each in releases if each.product == product)


NOBODY_KNOWS: Final = Releases()


@dataclass(frozen=True)
class Clause:
    """One product's versions."""

    product: str
    specifier: SpecifierSet
    role: Role | None

    def meets(self, releases: Releases) -> bool:
        """An end has such a version, or nobody knows that it has not."""
        ends = [number(each.version) for each in releases.of(self.product, self.role)]
        return not ends or any(each is None or self.specifier.contains(each, prereleases=True) for each in ends)

    def unknown(self, releases: Releases) -> bool:
        """An end is the product, and nobody knows its version."""
        return any(number(each.version) is None for each in releases.of(self.product, self.role))


@cache
def clauses(text: str) -> tuple[Clause, ...]:
    """A range, read; raises ValueError with what was expected."""
    return () if text == ALL else tuple(_clause(part.strip()) for part in text.split(";"))


def meets(text: str, releases: Releases) -> bool:
    """Whether the range holds for what a cell's ends run."""
    return all(clause.meets(releases) for clause in clauses(text))


def unknown(text: str, releases: Releases) -> Iterator[str]:
    """Products of the range whose version at an end nobody knows."""
    yield from dict.fromkeys(clause.product for clause in clauses(text) if clause.unknown(releases))


def said(text: str, releases: Releases) -> str:
    """What the ends run of the products of a range, in words."""
    ends = dict.fromkeys(each for clause in clauses(text) for each in releases.of(clause.product, clause.role))
    return " and ".join(f"{each.product} {each.version or 'of unknown version'}" for each in ends)


def number(version: str | None) -> Version | None:
    """The release that a version begins with: a distribution's epoch and revision and what stands behind are left out.

    ``1:10.0.2+ds-2`` is 10.0.2, ``1.9.0 (multifd 0.1.0)`` is 1.9.0; a number of an interface, ``2.5 (API)``, is none.
    """
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)(?! \(API\))(?![\d.])", version or "")
    return Version(found[1]) if found is not None else None


def _clause(text: str) -> Clause:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"versions {text!r}: {_EXPECTED}; a product is QEMU or a library's name")
    product, specifier, role = match.groups()
    try:
        return Clause(product, SpecifierSet(specifier or ""), cast("Role | None", role))
    except InvalidSpecifier:
        raise ValueError(
            f"versions {text!r}: {specifier!r} is no specifier of PEP 440, such as '>=1.3.1,<=2.0.0'"
        ) from None
