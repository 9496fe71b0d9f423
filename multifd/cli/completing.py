"""Completion on the command line: names and ids, of the last run where there is one.

A plan takes seconds, and nobody waits so long for a key: ids are those that the log of the last run has, below
``--results`` where that is given, and are offered a part at a time, as a shell offers paths. Where nothing has been run
the suites are offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from click import Context, Parameter
from click.shell_completion import CompletionItem

from multifd.campaign.options import RESULTS
from multifd.profile.load import shipped
from multifd.result.known import shipped as known_issues
from multifd.result.store import EVENTS

_SUITES: Final = ("flips/", "integrity/", "negotiation/", "probe/", "qemu/", "wire/")
_PLANNED: Final = re.compile(rb'^\{"event":"plan","cell":\{"id":("(?:[^"\\]|\\.)*")', re.MULTILINE)
_PEER: Final = re.compile(rb'^\{"event":"peer","peer":\{"name":("(?:[^"\\]|\\.)*")', re.MULTILINE)


def cells(context: Context, _: Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of cells, up to the next slash at which they differ."""
    return [CompletionItem(stem) for stem in stems(tuple(_logged(context, _PLANNED)) or _SUITES, incomplete)]


def peers(context: Context, _: Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of peers."""
    return _starting(_logged(context, _PEER), incomplete)


def profiles(_: Context, __: Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of profiles, and files."""
    return [*_starting(shipped(), incomplete), CompletionItem(incomplete, type="file")]


def issues(_: Context, __: Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of known issues, which are those of findings."""
    return _starting((issue.id for issue in known_issues()), incomplete)


def directories(_: Context, __: Parameter, incomplete: str) -> list[CompletionItem]:
    """Directories."""
    return [CompletionItem(incomplete, type="dir")]


def stems(ids: Iterable[str], incomplete: str) -> list[str]:
    """The ids that begin like this, each cut after the first slash that more than one of them does not share."""
    left = [each for each in ids if each.startswith(incomplete)]
    while True:
        found = list(dict.fromkeys(_stem(each, len(incomplete)) for each in left))
        if len(found) != 1 or found[0] in left:
            return found
        [incomplete] = found


def _stem(name: str, start: int) -> str:
    end = name.find("/", start)
    return name if end < 0 else name[: end + 1]


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _logged(context: Context, pattern: re.Pattern[bytes]) -> Iterator[str]:
    given: Any = context.params.get("results") or context.params.get("directory") or RESULTS
    log = b""
    # Whoever presses a key is not told why nothing comes of it.
    with suppress(OSError):
        log = (Path(given) / EVENTS).read_bytes()
    for found in pattern.finditer(log):
        yield json.loads(found[1])
