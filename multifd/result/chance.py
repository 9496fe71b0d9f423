"""Findings that come by chance: how much one run says of them, and how often to try.

Timing or load decides whether a cell shows such a finding (``always: false`` in the known issues), so that its verdict
is another one from run to run though nothing has changed.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from functools import cache
from typing import Final

from multifd.result.known import shipped
from multifd.result.record import Cell

ENOUGH: Final = 5
"""Cells that showed a finding, and none of which shows it when they are run again: were it still there as often as
before, all of them would miss it once in e^5, or 148, times."""
USUAL: Final = 20
"""Repetitions where nobody knows how often it comes."""
_SURE: Final = 0.05
_MOST: Final = 1000
_AGAIN: Final = ("python3", "bootstrap.py", "conformance", "--cell")


@cache
def by_chance(issue: str) -> bool:
    """Whether a cell without it is no news, by the known issues of this project."""
    return any(each.id == issue and not each.always for each in shipped())


def shows_by_chance(cell: Cell) -> bool:
    """It is known for issues alone that come by chance."""
    return cell.verdict == "known" and bool(cell.issues) and all(map(by_chance, cell.issues))


def repetitions(shown: int, tried: int) -> int:
    """So many that a finding which ``shown`` of ``tried`` cells had comes at least once with 95%."""
    if not 0 < shown < tried:
        return USUAL
    return max(USUAL, min(_MOST, math.ceil(math.log(_SURE) / math.log(1 - shown / tried))))


def repeating(cell: Cell, times: int) -> str:
    """The command that runs a cell so often, with the options that its record names."""
    return shlex.join(["multifd", "bisect-step", cell.id, "--times", str(times), *_options(cell)])


def _options(cell: Cell) -> Iterable[str]:
    """Those beside the cell's own id."""
    try:
        words = shlex.split(cell.reproduce)
    except ValueError:
        return ()
    return words[len(_AGAIN) + 1 :] if tuple(words[: len(_AGAIN)]) == _AGAIN else ()
