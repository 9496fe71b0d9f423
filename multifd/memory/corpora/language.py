"""What people and programs write: prose and log lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.memory.corpora.stream import Content, fill, limited, shuffled
from multifd.memory.dice import Dice

WORDS: Final = tuple(
    b"the of and to in is it that for was on are as with be by at this from have not or an but page memory"
    b" guest kernel block device channel driver buffer request queue packet error started finished after"
    b" before without waiting thread process file system network service connection server client transport"
    b" closed opened timeout retry value number address table entry interrupt handler virtual machine state"
    b" migration source destination window level header output input length offset version feature control"
    b" register descriptor allocated released scheduled unexpected available configuration acknowledged"
    b" transmission independent responsibility nevertheless".split()
)
"""Most frequent first; drawn by Zipf's law, as words are."""

ZIPF: Final = 1 << 24
"""Weight of the most frequent word; that of the next is half, of the third a third of it."""

LOG_PREFIXES: Final = tuple(
    b"\n2024-03-%02dT%02d:%02d:%02d.%03dZ host%d %s[%d]: "
    % (1 + n % 28, n % 24, n % 60, n * 7 % 60, n, n % 5, who, pid)
    for n, (who, pid) in enumerate(
        [(b"kernel", 0), (b"systemd", 1), (b"qemu-system-x86", 2841), (b"sshd", 1733), (b"cron", 911)] * 40
    )
)

PHRASES: Final = 16384
PHRASE_LENGTH: Final = 8
PHRASE_BYTES: Final = 45
"""Phrases in stock, words in each, bytes that each has on average: 740 KB of text."""


@limited
def text(size: int, dice: Dice) -> Content:
    """Sentences and log lines; DEFLATE makes roughly a third of them."""
    return fill(_prose(size, dice), size)


def _prose(size: int, dice: Dice) -> Iterator[bytes]:
    """Yield phrases without end; there are enough different ones for ``size`` bytes or a whole stock."""
    count = min(PHRASES, 1 + size // PHRASE_BYTES)
    weights = [ZIPF // rank for rank in range(1, len(WORDS) + 1)]
    words = dice.weighted(weights, count * PHRASE_LENGTH).reshape(count, PHRASE_LENGTH).tolist()
    starts = dice.integers(0, 4 * len(LOG_PREFIXES), count).tolist()
    phrases = [
        (LOG_PREFIXES[start] if start < len(LOG_PREFIXES) else b"")
        + b" ".join([WORDS[word] for word in row])
        + (b". " if start % 3 else b", ")
        for row, start in zip(words, starts, strict=True)
    ]
    return shuffled(phrases, dice)
