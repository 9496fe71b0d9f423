"""Vendor libraries for a run: what the profile wants and the host lacks is fetched, or done without, and said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from multifd.accelerator import ACCELERATORS, VENDOR
from multifd.errors import MultifdError
from multifd.libraries import wish
from multifd.libraries.fetch import fetch
from multifd.libraries.find import libraries
from multifd.libraries.packages import remedy
from multifd.libraries.sources import NEWEST, Release
from multifd.profile.model import Profile

Say = Callable[[str], object]


def missing(profile: Profile) -> Sequence[str]:
    """Libraries that the profile's devices want and that are nowhere on this host, by the codec's name."""
    lacking = []
    for kind, accelerator in ACCELERATORS.items():
        entry, real = profile.device(kind), accelerator.real
        if entry is None or real is None or entry.policy not in ("use", "require"):
            continue
        if real.name not in libraries([Path(path) for path in entry.libraries]):
            lacking.append(real.name)
    return lacking


def fetch_missing(profile: Profile, say: Say) -> None:
    """Fetch what is missing from the host's own package mirror; where that cannot be, say so and go on."""
    lacking = missing(profile)
    if not lacking:
        return
    say(f"the libraries of {' and '.join(lacking)} are not on this host: fetching them into the user's cache")
    try:
        fetch(wish.libraries(NEWEST[Release.of().family]), progress=say)
    except MultifdError as problem:
        say(f"cannot fetch them: {problem}")
        remedies = dict.fromkeys(remedy(VENDOR[name]) for name in lacking)
        say(f"going on with emulated devices; to have the real libraries: {'; '.join(remedies)}")
