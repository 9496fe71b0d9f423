"""The thread's questions as data: each with its short answer, and claims about the cells that show it.

They live in ``questions.yaml`` beside this module. A claim selects cells by what they are and says how they must end;
ids are no part of it, for the plan decides which cells there are. What a run makes of the claims is
:mod:`multifd.result.answers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from multifd.errors import HarnessError, InputError
from multifd.result.counted import counted
from multifd.result.plainly import plainly
from multifd.result.record import Cell, Model, Provenance, Role, Unable, Verdict
from multifd.yaml import parse

PLAIN_PAGE: Final = 4096
"""Bytes of a page on most hosts."""
PATH: Final = Path(__file__).with_name("questions.yaml")


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One name or several, any of which will do; ``qemu-*`` is every name that begins so. None at all: whatever it is."""
Verdicts = Annotated[tuple[Verdict, ...], BeforeValidator(_listed), Field(min_length=1)]


class Query(Model):
    """Which cells: those of which every field has one of the names.

    Unless it says otherwise these are migrations between peers of ours in which nothing is falsified, and both ends
    read one framing. What is predicted to arrive is in however it comes. What is not, with pages of 4 KiB and both ends
    speaking one dialect only: then nothing but framing and peers can be the cause.
    """

    suite: Names = ("wire", "integrity")
    sender: Names = ()
    receiver: Names = ()
    framing: Names = ()
    """Of both ends."""
    sent: Names = ()
    read: Names = ()
    spoken: Names = ()
    """Dialect of the sender."""
    heard: Names = ()
    """Dialect of the receiver."""
    scenario: Names = ()
    """With it faults can be named, which are out otherwise."""
    sender_ran: Names = ()
    """How the sender's codec ran."""
    receiver_ran: Names = ()
    """How the receiver's did."""

    @model_validator(mode="after")
    def _framings(self) -> Query:
        if bool(self.sent) != bool(self.read) or (self.sent and self.framing):
            raise ValueError("expected framing, or sent and read")
        return self

    def looks_at(self, suite: str, framing: str) -> bool:
        """The query is about cells of this suite and framing, some of them."""
        if not _any(self.suite, suite):
            return False
        sent, read = sides(framing)
        if self.sent:
            return _any(self.sent, sent) and _any(self.read, read)
        return sent == read and _any(self.framing, sent)

    def pairs(self, sender: str, receiver: str) -> bool:
        """The query is about cells from this sender to this receiver, some of them."""
        return _any(self.sender, sender) and _any(self.receiver, receiver)

    def selects(self, cell: Cell) -> bool:
        """The query is about this cell."""
        if not self.pairs(cell.sender, cell.receiver):
            return False
        ran = cell.provenance
        if not (_any(self.sender_ran, ran.sender or "") and _any(self.receiver_ran, ran.receiver or "")):
            return False
        spoken, heard = sides(cell.dialect)
        if not (_any(self.spoken, spoken) and _any(self.heard, heard) and self.looks_at(cell.suite, cell.framing)):
            return False
        if not _any(self.scenario, cell.scenario) or (cell.scenario.startswith("fault") and not self.scenario):
            return False
        plain = cell.page_size == PLAIN_PAGE and (spoken == heard or bool(self.spoken or self.heard))
        return plain or cell.predicted == "identical"

    def __str__(self) -> str:
        chosen = self.model_dump(exclude_defaults=True)
        return ", ".join(f"{name} {' or '.join(value)}" for name, value in chosen.items())


class Claim(Model):
    """What cells show, if all of them end as it says."""

    shows: str
    """In words, for a reader who knows the thread."""
    cells: Query
    verdict: Verdicts
    error: str | None = None
    """Regular expression that is found in the error of every one that is refused."""
    at_least: Annotated[int, Field(ge=1)] = 1
    """So many pairings must end so: a framing, a sender and a receiver are one, in however many cells."""
    sometimes: Verdict | None = None
    """Content decides: at least so many pairings must end like this in a cell, any other cell as ``verdict`` says."""
    hardware: Role | None = None
    """Only silicon at this end can show it: an emulation may agree, and is not counted."""

    def expected(self) -> str:
        """How the cells must end, in words."""
        wanted = " or ".join(self.verdict)
        if self.sometimes is not None:
            often = "once" if self.at_least == 1 else f"in {counted(self.at_least, 'pairing')}"
            wanted = f"{wanted} as content decides, {self.sometimes} at least {often}"
        return f"{wanted}, with an error like `{plainly(self.error)}`" if self.error is not None else wanted

    def agrees(self, cell: Cell) -> bool:
        """The cell ended as it says."""
        if cell.verdict not in self.verdict:
            return False
        return self.error is None or cell.verdict != "refused" or bool(re.search(self.error, cell.error or ""))

    def counts(self, cell: Cell) -> bool:
        """The cell, which agrees, is one of those that show it."""
        if self.hardware is not None and _ran(cell, self.hardware) != "hardware":
            return False
        return self.sometimes in (None, cell.verdict)


class Inability(Model):
    """What peers cannot do in a framing, which the probe must have tried."""

    shows: str
    peers: Names
    role: Role
    framings: Names

    def expected(self) -> str:
        """What must hold, in words."""
        return f"{' and '.join(self.peers)} unable to be {self.role} of {' or '.join(self.framings)}"

    def covers(self, entry: Unable) -> bool:
        """This is such an entry."""
        return (entry.role, _any(self.peers, entry.peer), _any(self.framings, entry.framing)) == (self.role, True, True)

    def is_of(self, framing: str, sender: str, receiver: str) -> bool:
        """A cell of these, if it passes, says that it can be done."""
        sent, read = sides(framing)
        peer, own = (sender, sent) if self.role == "sender" else (receiver, read)
        return _any(self.peers, peer) and _any(self.framings, own)


class Price(Model):
    """What framings cost: bytes on the wire per byte of memory, CPU per GiB; time is stated and never judged."""

    shows: str
    framings: tuple[str, ...]
    senders: Names = ()
    """CPU is stated where they are named."""
    dearer: str | None = None
    """This framing must cost every encoder more bytes than ``cheaper``, the same content given."""
    cheaper: str | None = None

    @model_validator(mode="after")
    def _compared(self) -> Price:
        pair = [name for name in (self.dearer, self.cheaper) if name is not None]
        if len(pair) == 1 or not set(pair) <= set(self.framings):
            raise ValueError("expected dearer and cheaper, both among framings, or neither")
        return self


class Question(Model):
    """One question of the thread."""

    id: str
    question: str
    answer: str
    """In one to three sentences."""
    claims: tuple[Claim, ...] = ()
    unable: tuple[Inability, ...] = ()
    prices: tuple[Price, ...] = ()

    @model_validator(mode="after")
    def _shown(self) -> Question:
        if not (self.claims or self.unable or self.prices):
            raise ValueError("expected a claim: an answer without evidence is an opinion")
        return self


class Families(Model):
    """The peers that stand for zlib, QAT and IAA."""

    zlib: str
    qat: str
    iaa: str


Marks = Annotated[str, Field(pattern=r"^[=x!-]{3} [=x!-]{3} [=x!-]{3}$")]
"""How {zlib, QAT, IAA} x {zlib, QAT, IAA} end, sender by sender: ``=`` identical, ``x`` refused, ``!`` hazard, ``-``
one of them cannot do it at all."""


class Line(Model):
    """One framing of the table that heads the answers."""

    framing: str
    libraries: Marks
    silicon: Marks
    zlib: str | None = None
    """The sender that stands for zlib, where it is not the usual one."""
    variant: str = ""
    """Parameters of the peers that stand for QAT, and for IAA as receiver: it has no sender of streams."""


class Thread(Model):
    """All of it; the table has a question and an answer of its own."""

    question: str
    answer: str
    libraries: Families
    silicon: Families
    table: tuple[Line, ...]
    questions: tuple[Question, ...]


@cache
def shipped() -> Thread:
    """The questions as this project answers them; raises :class:`HarnessError` if they are not as they should be."""
    try:
        return Thread.model_validate(parse(PATH.read_bytes()))
    except (InputError, ValidationError) as problem:
        raise HarnessError(f"{PATH}: {problem}") from None


def sides(text: str) -> tuple[str, str]:
    """Both sides of ``sender>receiver``, or of ``both``."""
    sender, _, receiver = text.partition(">")
    return sender, receiver or sender


def takes_part(names: Names, peers: Iterable[str]) -> bool:
    """One of the peers has one of the names."""
    return any(_any(names, peer) for peer in peers)


@lru_cache(maxsize=1 << 16)  # a run asks the same of thousands of cells
def _any(names: Names, value: str) -> bool:
    return not names or any(
        value.startswith(name.removesuffix("*")) if name.endswith("*") else value == name for name in names
    )


def _ran(cell: Cell, end: Role) -> Provenance | None:
    return cell.provenance.sender if end == "sender" else cell.provenance.receiver
