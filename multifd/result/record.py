"""The results contract ``multifd-conformance/results/2`` as models; the published JSON Schema is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_ID: Literal["multifd-conformance/results/2"] = "multifd-conformance/results/2"

Provenance = Literal["hardware", "vendor-software", "emulated", "software"]
Outcome = Literal["identical", "rejected", "hazard"]
Verdict = Literal["pass", "refused", "hazard", "known", "fail", "skip", "error", "not-run"]
Kind = Literal["corrupt", "wrong-error", "accepted", "crash", "hang", "invariant", "unproven", "disturbed"]
DeviceVerdict = Literal["proven", "fell-back", "unproven", "disturbed", "unverified", "not claimed"]
Severity = Literal["corruption", "crash", "hang", "leak", "contract"]
Role = Literal["sender", "receiver"]
Unit = Literal["jobs", "bytes"]
"""Of what a device, or its library, counts."""
Witness = Literal["device", "library", "none"]
"""Whose word the count of a device's work is: its own counters', its vendor library's, nobody's."""
State = Literal["contradicted", "not shown", "not on hardware", "shown"]

CONFORMING: frozenset[Verdict] = frozenset({"pass", "refused", "hazard", "known"})
"""Verdicts of cells that were checked and went as predicted or as a known issue says."""

VERDICT_ORDER: tuple[Verdict, ...] = (
    "fail", "error", "hazard", "known", "not-run", "skip", "refused", "pass",
)  # fmt: skip
"""Verdicts, worst first."""

KIND_ORDER: tuple[Kind, ...] = (
    "corrupt", "accepted", "unproven", "disturbed", "hang", "crash", "invariant", "wrong-error",
)  # fmt: skip
"""Kinds of failure, worst first: silent corruption outranks everything."""

SEVERITY_ORDER: tuple[Severity, ...] = ("corruption", "crash", "hang", "leak", "contract")
"""Severities, worst first."""

STATE_ORDER: tuple[State, ...] = ("contradicted", "not shown", "not on hardware", "shown")
"""What becomes of a claim, worst first."""


class Model(BaseModel):
    """Base of all contract models: no unknown keys, no silent change after creation, every field written."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Sides(Model):
    """How the codec of each side ran."""

    sender: Provenance | None = None
    receiver: Provenance | None = None


class Seconds(Model):
    """Time of a cell in seconds: ``encode``/``decode`` as the peers measured, ``wall`` as the harness did."""

    encode: float | None = None
    decode: float | None = None
    wall: float = 0.0


class CpuSeconds(Model):
    """CPU time (user + system) in seconds that each peer spent on the cell."""

    sender: float | None = None
    receiver: float | None = None


class DeviceWork(Model):
    """What one end asked of a device, and what was counted meanwhile."""

    end: Role
    device: str
    asked: int
    """What the vendor's rules demand at least."""
    counted: int | None
    """The same by the source; None where it cannot be read, or what was read says nothing."""
    source: str
    """What counted."""
    verdict: DeviceVerdict
    most: int | None = None
    """What the vendor's rules allow at most, None if they set no limit."""
    unit: Unit = "jobs"
    witness: Witness = "none"
    """Whose word it is."""
    why: str = ""
    """In words: what went to software by the vendor's rules, or why nothing is known."""
    busy: int = 0
    """Submissions that found every queue full and were made again."""
    faults: int = 0
    """Jobs that ended by a page fault and were made again."""


class Integrity(Model):
    """Payloads with one bit flipped each, given to a decoder."""

    flips: int
    detected: int
    """Refused."""
    harmless: int
    """Memory is right all the same."""
    silent: int
    """Taken, and memory is wrong."""


class Invariants(Model):
    """What always holds of a sender's stream and of what it counts, as a tap between both ends saw it."""

    broken: tuple[str, ...] = ()
    """What did not hold, each with channel, packet, field, value and what was expected."""
    unseen: tuple[str, ...] = ()
    """What was not looked at, and why: of that nothing is known."""


class Setting(Model):
    """A migration parameter that was not left alone, and without which things go another way."""

    name: str
    value: str
    default: str | None = None
    """What it is if nobody sets it; None where nobody was asked."""
    machine: str | None = None
    """The machine type whose default that is."""

    def __str__(self) -> str:
        told = f"{self.name}={self.value}"
        if self.default is None:
            return told
        return f"{told}; the default{f' of {self.machine}' if self.machine else ''} is {self.default}"


class Cell(Model):
    """One record: a pairing x framing x dialect x scenario, what was predicted, what was observed."""

    id: str
    suite: str
    sender: str
    receiver: str
    framing: str
    dialect: str
    """Of both sides; ``sender>receiver`` where they differ."""
    scenario: str
    corpus: str
    page_size: Annotated[int, Field(gt=0)]
    channels: Annotated[int, Field(ge=1, le=255)]
    predicted: Outcome
    observed: Outcome | Literal["crash", "hang", "broken", "skipped", "not-run"]
    verdict: Verdict
    kind: Kind | None = None
    reason: str
    """Why the prediction is what it is; for a failure, what disagreed; for a skip, the remedy too."""
    error: str | None = None
    """The error that a peer reported, verbatim."""
    provenance: Sides = Sides()
    device_verdict: DeviceVerdict = "not claimed"
    device: tuple[DeviceWork, ...] = ()
    """The numbers behind the device verdict, of each end that claims hardware."""
    issues: tuple[str, ...] = ()
    """Ids of the known issues that explain a hazard or a failure."""
    complaints: tuple[str, ...] = ()
    """What differs, one by one, where a cell looks at many things; ``error`` is then the sum of it in words."""
    bytes_memory: int = 0
    bytes_wire: int = 0
    seconds: Seconds = Seconds()
    cpu_seconds: CpuSeconds = CpuSeconds()
    reproduce: str
    artifacts: tuple[str, ...] = ()
    blocks: str = "two"
    """How the guest's memory is divided into RAM blocks."""
    fill: str = "full"
    """Pages in the sender's packets: ``full``, ``single``, ``few``, or ``sweep-N``: N and every 32 more."""
    integrity: Integrity | None = None
    """What became of flipped bits; None where none were flipped."""
    invariants: Invariants | None = None
    """None where no tap stood between the ends."""
    setting: tuple[Setting, ...] = ()
    """What was set besides defaults and decides: what the scenario is about, and what a predicted hazard needs."""
    aftermath: str | None = None
    """What became of a real QEMU whose migration failed, in words; None where it did not fail, or none sent."""


class Peer(Model):
    """One peer of the line-up with what it declared and the probe confirmed."""

    name: str
    kind: Literal["codec", "qemu", "external"]
    codec: str | None
    device: str | None
    provenance: Provenance
    version: str
    roles: tuple[Role, ...]
    capabilities: dict[str, Any]


class Unable(Model):
    """What a peer cannot do in a role, by its own declaration, which the probe tried: no cell, a blank in a matrix."""

    framing: str
    peer: str
    role: Role
    reason: str
    tried: bool
    """It was asked for it, and refused."""


class Finding(Model):
    """A defect or hazard in software that is not ours, shown by cells of this run."""

    id: str
    component: str
    versions: str
    severity: Severity
    cause: str
    remedy: str
    """What to set, or to do, instead."""
    upstream: str | None
    """Where it was reported or mended: a commit, an issue, a thread."""
    fixed_in: str | None
    """The first version without it, None where there is none yet or none is known."""
    reproducer: str | None
    """Path in this project of a program that shows it alone."""
    cells: tuple[str, ...]
    reproduce: str
    setting: tuple[Setting, ...] = ()
    """What was set besides defaults in its cells."""
    instead: dict[str, str] = {}
    """Migration parameters and capabilities that avoid it, with their values; none where no setting alone does."""


class Evidence(Model):
    """One claim of an answer, and what the cells of this run say of it."""

    shows: str
    """The claim in words."""
    state: State
    because: str
    """For a contradiction the cell, what was expected and what was seen; where nothing is shown why, and the remedy."""
    provenance: tuple[Provenance, ...] = ()
    """How the codecs ran that it rests on."""
    count: int = 0
    """Cells that agree, or entries of ``unable``."""
    cells: tuple[str, ...] = ()
    """Ids of some of them; of a contradiction the cells that contradict come first."""
    reproduce: str | None = None


class Answer(Model):
    """The answer to one question of the thread, with its evidence."""

    id: str
    question: str
    answer: str
    evidence: tuple[Evidence, ...]


class Reach(Model):
    """Tuples of values of so many factors: how many cells of the run have had, and how many there are."""

    had: int
    feasible: int
    """Those whose memory arrives, or in which a hazard is demonstrated."""


class Coverage(Model):
    """What a run looks at."""

    cells: dict[str, int] = {}
    """Planned cells by suite."""
    pairs: Reach | None = None
    """Of values of two factors, as the cells had them that were run; None until the run has ended."""
    triples: Reach | None = None
    """The same of three factors."""
    never: tuple[str, ...] = ()
    """Pairs that no cell of the run had, in words; at most :data:`NEVER_LISTED`."""


NEVER_LISTED = 500


class Subset(Model):
    """What was run of the cells with real QEMU, where nobody named a QEMU."""

    cells: int
    of: int

    @property
    def words(self) -> str:
        """With the remedy."""
        return f"covering subset: {self.cells} of {self.of} cells with real QEMU; '--qemu found' runs all"


class UserContent(Model):
    """What was taken of the user's own files (``--corpus``) for a guest of suite ``wire``, in pages of 4 KiB."""

    path: str
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


class Run(Model):
    """The circumstances of a run; times are ISO 8601 in UTC."""

    id: str
    started: str
    finished: str | None
    complete: bool
    """True only if every planned cell was run or skipped for a named reason."""
    profile: str
    host: dict[str, Any]
    versions: dict[str, str]
    command: str
    plan: str
    """Digest of the ids of all planned cells: equal plans have equal ones."""
    seed: int
    """Of all content that is made by chance."""
    strength: int | None = None
    """How many factors at a time the plan combines; None where it was not made by combination."""
    coverage: Coverage = Coverage()
    subset: Subset | None = None
    """None where all cells with real QEMU were planned, or none."""
    workers_lost: int = 0
    """Worker processes of the run that died."""
    corpus: UserContent | None = None
    """None without ``--corpus``."""
    remarks: tuple[str, ...] = ()
    """Of devices: why one is not used, or is used whatever detection says, what runs instead, what limits the run."""


class Results(Model):
    """The whole of ``results.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_id: Literal["multifd-conformance/results/2"] = Field(default=SCHEMA_ID, alias="schema")
    run: Run
    peers: tuple[Peer, ...]
    unable: tuple[Unable, ...]
    findings: tuple[Finding, ...]
    cells: tuple[Cell, ...]
    answers: tuple[Answer, ...] = ()
    """Of the thread that started all this; an answer that its cells contradict makes the run not conforming."""
