"""The user's own content as a run takes it: looked at once, before anything runs."""

from __future__ import annotations

from typing import Final

import numpy as np

from multifd.errors import InputError
from multifd.memory.corpora.user import Files
from multifd.memory.dice import Dice
from multifd.memory.image import zero_rows
from multifd.result.counted import counted
from multifd.result.record import UserContent

PAGE_SIZE: Final = 4096
"""Bytes; of a guest of suite ``wire``."""


def surveyed(found: Files, memory: int, seed: int) -> UserContent:
    """What a guest with ``memory`` bytes, whole pages, gets of these files.

    Raises EnvironmentBroke where they cannot be read, InputError where no codec would get any of them: cells of zero
    pages alone look the same whatever a method does.
    """
    there = found.pages(PAGE_SIZE) * PAGE_SIZE
    taken = min(there, memory)
    pages = np.frombuffer(found.content(PAGE_SIZE, taken, Dice(seed)), np.uint8).reshape(-1, PAGE_SIZE)
    rest = pages[~zero_rows(pages)]
    if not len(rest):
        raise InputError(
            f"corpus: of {found.directory} all {counted(len(pages), 'page')} taken are zero, so that no codec would get"
            " any of it; expected content: more of it by --memory, other pages of it by --seed, or another directory"
        )
    return UserContent(
        path=str(found.directory),
        files=len(found.files),
        bytes_there=there,
        bytes_taken=taken,
        bytes_memory=memory,
        zero_share=1 - len(rest) / len(pages),
        duplicate_share=(len(rest) - len({hash(page.tobytes()) for page in rest})) / len(pages),
    )
