"""Under which circumstances a run was made, and what it looks at: the part of the results contract that is no cell."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from multifd.result.counted import counted
from multifd.result.printable import clipped
from multifd.result.terms import Count, Instant, Said, Written

Bits = Annotated[str, Field(max_length=1 << 20)]
"""Base64 of a bit for each of so many things, the highest of a byte first; longer than any text that is said."""


class Reach(Written):
    """Tuples of values of so many factors: how many cells of the run have had, and how many there are."""

    had: Count
    """Those that cells have had."""
    feasible: Count
    """Those whose memory arrives, or in which a hazard is demonstrated."""


class Tuples(Written):
    """What the cells of a shard combine, tuple by tuple: what several have together is no sum of what each has."""

    pairs: Bits
    """Base64 of a bit for each feasible pair, the highest of a byte first: 1 if a cell that was run had it."""
    triples: Bits
    """The same of triples."""
    never: tuple[str, ...] = ()
    """All pairs that no cell of the shard had, in words."""


class Coverage(Written):
    """What a run looks at."""

    cells: dict[str, int] = Field(default_factory=dict)
    """Planned cells by suite."""
    pairs: Reach | None = None
    """Of values of two factors, as the cells had them that were run; None until the run has ended."""
    triples: Reach | None = None
    """The same of three factors."""
    never: tuple[str, ...] = ()
    """Pairs that no cell of the run had, in words; at most 500."""
    tuples: Tuples | None = None
    """Of a shard that has ended, None elsewhere."""


NEVER_LISTED = 500


class Subset(Written):
    """What was run of the cells with real QEMU, where nobody named a QEMU."""

    cells: int
    """Planned."""
    of: int
    """There are."""

    @property
    def words(self) -> str:
        """With the remedy."""
        return f"covering subset: {self.cells} of {counted(self.of)} with real QEMU; '--qemu found' runs all"


class UserContent(Written):
    """What was taken of the user's own files (``--corpus``) for a guest of suite ``wire``, in pages of 4 KiB."""

    path: Said
    """The directory."""
    files: int
    """Regular files below it that are not empty."""
    bytes_there: int
    """Of their pages, the last one of each file filled up."""
    bytes_taken: int
    """Of these, each page once; a larger memory holds them again and again."""
    bytes_memory: int
    """Of the guest."""
    zero_share: float
    """Zero pages among those that were taken, 0 to 1."""
    duplicate_share: float
    """Pages among them that are not zero and equal one before."""


class Shard(Written):
    """Which part of a plan a run has: cells of the other shards are not planned in it."""

    number: Annotated[int, Field(ge=1)]
    """Which shard, from 1."""
    of: Annotated[int, Field(ge=1)]
    """How many there are."""
    plan: str
    """Digest of the ids of all cells of all shards: shards of one plan have equal ones."""
    places: tuple[int, ...]
    """Where in that plan each planned cell of the shard stands, from 0, ascending."""

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def _shortened(facts: dict[str, Any]) -> dict[str, Any]:
    """The beginning of what is long."""
    return {name: clipped(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}


class Rule(Written):
    """One rule of the oracle: it decides, or it holds and the next one is asked."""

    name: str
    """As a cell's ``rule`` has it."""
    holds: Said
    """What is so where it does not decide."""


class Run(Written):
    """The circumstances of a run; times are ISO 8601 in UTC."""

    id: str
    """Chance; no two runs have the same."""
    started: Instant
    """When the plan was written down."""
    finished: Instant | None
    """When results were made; None for a run that has no end."""
    complete: bool
    """True only if every planned cell was run or skipped for a named reason."""
    profile: Said
    """Name or path: who takes part."""
    host: Annotated[dict[str, Any], AfterValidator(_shortened)]
    """Where it ran: processor, system and more; ``recorded`` if its devices were those of another host."""
    versions: dict[str, str]
    """Of this suite, Python and packages, by name."""
    command: Said
    """What was run."""
    plan: str
    """Digest of the ids of all planned cells: equal plans have equal ones."""
    seed: int
    """Of all content that is made by chance."""
    strength: int | None = None
    """How many factors at a time the plan combines; None where it was not made by combination."""
    coverage: Coverage = Coverage()
    """What it looks at."""
    subset: Subset | None = None
    """None where all cells with real QEMU were planned, or none."""
    shard: Shard | None = None
    """None where the run has all of its plan."""
    missing: tuple[str, ...] = ()
    """Shards of the run, merged from the others, that are not in it, as ``3/8``; what these planned is in no cell."""
    workers_lost: Count = 0
    """Worker processes of the run that died."""
    corpus: UserContent | None = None
    """None without ``--corpus``."""
    rules: tuple[Rule, ...] = ()
    """Those that predictions are made by, in the order in which they are asked; none where results do not say."""
    remarks: tuple[Said, ...] = ()
    """Of devices: why one is not used, or is used whatever detection says, what runs instead, what limits the run."""
