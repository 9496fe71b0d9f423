"""The results contract ``multifd-conformance/results/2`` as models; the published JSON Schema is made from them.

Every field has a line that says what it is: the schema and docs/results.md have it from here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from multifd.result.circumstances import (
    NEVER_LISTED,
    Coverage,
    Reach,
    Rule,
    Run,
    Shard,
    Subset,
    Tuples,
    UserContent,
)
from multifd.result.terms import (
    AS_PREDICTED,
    CONFORMING,
    KIND_ORDER,
    SEVERITY_ORDER,
    STATE_ORDER,
    VERDICT_ORDER,
    Count,
    DeviceVerdict,
    Kind,
    Model,
    Outcome,
    Provenance,
    Role,
    Said,
    Severity,
    State,
    Unit,
    Verdict,
    Witness,
    Written,
)

SCHEMA_ID: Literal["multifd-conformance/results/2"] = "multifd-conformance/results/2"

__all__ = [
    "AS_PREDICTED", "CONFORMING", "KIND_ORDER", "NEVER_LISTED", "SCHEMA_ID", "SEVERITY_ORDER", "STATE_ORDER",
    "VERDICT_ORDER",
    "Answer", "Cell", "Coverage", "CpuSeconds", "DeviceVerdict", "DeviceWork", "Evidence", "Finding", "Integrity",
    "Invariants", "Kind", "Model", "Outcome", "Peer", "Provenance", "Reach", "Results", "Role", "Rule", "Run", "Said",
    "Seconds", "Setting", "Severity", "Shard", "Sides", "State", "Subset", "Tuples", "Unable", "Unit", "UserContent",
    "Verdict", "Witness",
]  # fmt: skip


class Sides(Written):
    """How the codec of each side ran."""

    sender: Provenance | None = None
    """Of the sender; None where nothing of it ran."""
    receiver: Provenance | None = None
    """Of the receiver; None where nothing of it ran."""


class Seconds(Written):
    """Time of a cell in seconds: ``encode``/``decode`` as the peers measured, ``wall`` as the harness did."""

    encode: float | None = None
    """What the sender took to encode; None where it did not say."""
    decode: float | None = None
    """What the receiver took to decode; None where it did not say."""
    wall: float = 0.0
    """What the cell took as a whole, waiting included."""


class CpuSeconds(Written):
    """CPU time (user + system) in seconds that each peer spent on the cell."""

    sender: float | None = None
    """None where it is not known."""
    receiver: float | None = None
    """None where it is not known."""


class DeviceWork(Written):
    """What one end asked of a device, and what was counted meanwhile."""

    end: Role
    """Whose work it is."""
    device: str
    """The accelerator: QAT, IAA or another."""
    asked: int
    """What the vendor's rules demand at least."""
    counted: int | None
    """The same by the source; None where it cannot be read, or what was read says nothing."""
    source: str
    """What counted."""
    verdict: DeviceVerdict
    """What follows for this end."""
    most: int | None = None
    """What the vendor's rules allow at most, None if they set no limit."""
    unit: Unit = "jobs"
    """Of ``asked``, ``counted`` and ``most``."""
    witness: Witness = "none"
    """Whose word it is."""
    why: Said = ""
    """In words: what went to software by the vendor's rules, or why nothing is known."""
    busy: int = 0
    """Submissions that found every queue full and were made again."""
    faults: int = 0
    """Jobs that ended by a page fault and were made again."""


class Integrity(Written):
    """Payloads with one bit flipped each, given to a decoder."""

    flips: Count
    """How many were tried."""
    detected: Count
    """Refused."""
    harmless: Count
    """Memory is right all the same."""
    silent: Count
    """Taken, and memory is wrong."""


class Invariants(Written):
    """What always holds of a sender's stream and of what it counts, as a tap between both ends saw it."""

    broken: tuple[Said, ...] = ()
    """What did not hold, each with channel, packet, field, value and what was expected."""
    unseen: tuple[Said, ...] = ()
    """What was not looked at, and why: of that nothing is known."""


class Setting(Written):
    """A migration parameter that was not left alone, and without which things go another way."""

    name: str
    """As QMP has it."""
    value: Said
    """What it was set to."""
    default: str | None = None
    """What it is if nobody sets it; None where nobody was asked."""
    machine: str | None = None
    """The machine type whose default that is."""

    def __str__(self) -> str:
        told = f"{self.name}={self.value}"
        if self.default is None:
            return told
        return f"{told}; the default{f' of {self.machine}' if self.machine else ''} is {self.default}"


class Cell(Written):
    """One record: a pairing x framing x dialect x scenario, what was predicted, what was observed."""

    id: str
    """Unique in a run, and the same in every run that plans this cell: what ``--cell`` takes."""
    suite: str
    """Which part of the run it belongs to."""
    sender: str
    """Name of a peer, or of a library where a cell has no wire."""
    receiver: str
    """Name of a peer, or of a library where a cell has no wire."""
    framing: str
    """What a payload looks like; ``sent>read`` where they differ."""
    dialect: str
    """Of both sides; ``sender>receiver`` where they differ."""
    scenario: str
    """How the two meet."""
    corpus: str
    """What the memory holds."""
    page_size: Annotated[int, Field(gt=0)]
    """Bytes of a guest page."""
    channels: Annotated[int, Field(ge=1, le=255)]
    """Multifd channels of the sender."""
    predicted: Outcome
    """What the oracle said before anything ran."""
    observed: Outcome | Literal["crash", "hang", "broken", "skipped", "not-run"]
    """What happened."""
    verdict: Verdict
    """What follows."""
    kind: Kind | None = None
    """In which way it failed; None where it did not."""
    reason: Said
    """Of what went as predicted why that was predicted; of a failure what disagreed, of what is known first the issue's
    cause, of a skip why and the remedy."""
    error: Said | None = None
    """The error that a peer reported, verbatim."""
    provenance: Sides = Sides()
    """How the codecs ran."""
    device_verdict: DeviceVerdict = "not claimed"
    """What is known of the work of devices that an end claims."""
    device: tuple[DeviceWork, ...] = ()
    """The numbers behind the device verdict, of each end that claims hardware."""
    issues: tuple[str, ...] = ()
    """Ids of the known issues that explain a hazard or a failure."""
    complaints: tuple[Said, ...] = ()
    """What differs, one by one, where a cell looks at many things; ``error`` is then the sum of it in words."""
    bytes_memory: Count = 0
    """Of guest memory that was sent."""
    bytes_wire: Count = 0
    """Of all channels together; 0 where it was not measured."""
    seconds: Seconds = Seconds()
    """Time."""
    cpu_seconds: CpuSeconds = CpuSeconds()
    """CPU time."""
    reproduce: Said
    """The command that runs this cell again."""
    artifacts: tuple[str, ...] = ()
    """Paths below the results directory."""
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
    aftermath: Said | None = None
    """What became of a real QEMU whose migration failed, in words; None where it did not fail, or none sent."""
    rule: str | None = None
    """What decides the prediction: a rule of ``run.rules``, of which all before it hold, or ``all-hold``; another word
    where no rule was asked. None where the file does not say."""
    predicted_because: Said | None = None
    """Why the prediction is what it is, where ``reason`` says something else; None where ``reason`` says it, or the
    file does not."""

    @property
    def because(self) -> str | None:
        """Why the prediction is what it is; None of a file that does not say."""
        if self.predicted_because is None and self.verdict in AS_PREDICTED:
            return self.reason
        return self.predicted_because

    def otherwise(self, reason: str, **changed: Any) -> Self:
        """The record with another reason and what else is changed; why it was predicted stays known."""
        return self.model_copy(update={**changed, "reason": reason, "predicted_because": self.because})


class Peer(Written):
    """One peer of the line-up with what it declared and the probe confirmed."""

    name: str
    """As cells have it."""
    kind: Literal["codec", "qemu", "external"]
    """A codec of ours, a real QEMU, or somebody else's program."""
    codec: str | None
    """The implementation, None for a QEMU."""
    device: str | None
    """What it may run on, None where that is no accelerator."""
    provenance: Provenance
    """How it ran."""
    version: Said
    """As the peer itself says it."""
    roles: tuple[Role, ...]
    """What it can be in a cell."""
    capabilities: dict[str, Any]
    """What it declared, by name; which there are depends on the kind."""


class Unable(Written):
    """What a peer cannot do in a role, by its own declaration, which the probe tried: no cell, a blank in a matrix."""

    framing: str
    """What it cannot do."""
    peer: str
    """Who."""
    role: Role
    """As what."""
    reason: Said
    """Its own words."""
    tried: bool
    """It was asked for it, and refused."""


class Finding(Written):
    """A defect or hazard in software that is not ours, shown by cells of this run."""

    id: str
    """Of the known issue."""
    component: str
    """The software that has it."""
    versions: str
    """Of which it is known."""
    severity: Severity
    """What it leads to."""
    cause: Said
    """File and function where it comes from, and what happens."""
    remedy: Said
    """What to set, or to do, instead."""
    upstream: str | None
    """Where it was reported or mended: a commit, an issue, a thread."""
    fixed_in: str | None
    """The first version without it, None where there is none yet or none is known."""
    reproducer: str | None
    """Path in this project of a program that shows it alone."""
    cells: tuple[str, ...]
    """Ids of the cells that show it."""
    reproduce: Said
    """A command that shows it."""
    setting: tuple[Setting, ...] = ()
    """What was set besides defaults in its cells."""
    instead: dict[str, str] = Field(default_factory=dict)
    """Migration parameters and capabilities that avoid it, with their values; none where no setting alone does."""


class Evidence(Written):
    """One claim of an answer, and what the cells of this run say of it."""

    shows: Said
    """The claim in words."""
    state: State
    """What becomes of the claim."""
    because: Said
    """For a contradiction the cell, what was expected and what was seen; where nothing is shown why, and the remedy."""
    provenance: tuple[Provenance, ...] = ()
    """How the codecs ran that it rests on."""
    count: int = 0
    """Cells that agree, or entries of ``unable``."""
    cells: tuple[str, ...] = ()
    """Ids of some of them; of a contradiction the cells that contradict come first."""
    reproduce: Said | None = None
    """The command that runs the first of them again; None where there is none."""


class Answer(Written):
    """The answer to one question of the thread, with its evidence."""

    id: str
    """Of the question."""
    question: Said
    """In words."""
    answer: Said
    """In words, the same in every run."""
    evidence: tuple[Evidence, ...]
    """One entry for each claim that it rests on."""


class Results(Written):
    """The whole of ``results.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_id: Literal["multifd-conformance/results/2"] = Field(default=SCHEMA_ID, alias="schema")
    """The version of this contract."""
    run: Run
    """The circumstances."""
    peers: tuple[Peer, ...]
    """Who takes part."""
    unable: tuple[Unable, ...]
    """What peers cannot do."""
    findings: tuple[Finding, ...]
    """What was found in software that is not ours."""
    cells: tuple[Cell, ...]
    """Every planned cell, once, in the order of the plan."""
    answers: tuple[Answer, ...] = ()
    """Of the thread that started all this; an answer that its cells contradict makes the run not conforming."""
