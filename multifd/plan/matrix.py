"""From a line-up to a plan, suite by suite. Pure: the same line-up and options always give the same plan."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from multifd.codec import create
from multifd.errors import HarnessError, InputError
from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS, PROPOSALS, framing
from multifd.lineup.model import LineUp, LineUpPeer
from multifd.oracle.predict import predict
from multifd.oracle.question import Question, Side
from multifd.plan.cell import PlannedCell
from multifd.plan.scenario import SCENARIOS
from multifd.wire.dialect import DIALECTS, Dialect, ZeroPages, dialect
from multifd.wire.fault import FAULTS

LATEST: Final = "qemu-10.0"
"""The dialect of the wire suite, and of everything that is not about dialects."""

REFERENCE: Final = {
    "none": "none", "qatzip-stub": "none", "zstd": "zstd",
}  # fmt: skip
"""The peer that stands for a framing where the pairing is not the point; every other framing: ``zlib``."""

PERIODS: Final = ("period-4096", "period-4097", "period-32768", "period-32769")
"""The periods that every framing sees; the others go by one framing of each kind."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line says about the plan."""

    memory: int = 2 << 20
    """Bytes of guest memory in the wire suite."""
    user_corpus: bool = False
    """``--corpus``: the user's own content is run beside ours."""
    corpora: tuple[str, ...] = field(default_factory=tuple)
    """Corpora of the integrity suite."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cell without its prediction."""

    suite: str
    sender: LineUpPeer
    receiver: LineUpPeer
    sender_framing: str
    receiver_framing: str
    sender_dialect: str
    receiver_dialect: str
    scenario: str
    sizes: dict[str, int]
    corpus: str = "mixed"
    page_size: int = 4096
    channels: int = 2
    fault: str | None = None


def plan(line_up: LineUp, options: PlanOptions) -> list[PlannedCell]:
    """Every cell of the run, in the order of the suites; raises HarnessError if two have one id."""
    drafts = itertools.chain(_wire(line_up, options), _negotiation(line_up), _integrity(line_up, options))
    cells = [_predicted(draft) for draft in drafts]
    unique = {cell.id: cell for cell in cells}
    if len(unique) != len(cells):
        seen: set[str] = set()
        twice = next(c.id for c in cells if c.id in seen or seen.add(c.id))  # type: ignore[func-returns-value]
        raise HarnessError(f"cell {twice} is planned twice")
    return cells


def machine(sender: Dialect, receiver: Dialect) -> Dialect:
    """The dialect whose machine type both ends run: a migration needs one that both know, so the older one."""
    return min(sender, receiver, key=lambda d: d.order)


def zero_pages(cell_scenario: str, sender: Dialect) -> ZeroPages:
    """Where the sender of a scenario puts zero pages."""
    return ZeroPages.MAIN if SCENARIOS[cell_scenario].legacy_zero_pages else sender.zero_pages


def _predicted(draft: _Draft) -> PlannedCell:
    sent, received = dialect(draft.sender_dialect), dialect(draft.receiver_dialect)
    scenario = SCENARIOS[draft.scenario]
    question = Question(
        sender=Side(draft.sender.name, framing(draft.sender_framing), sent),
        receiver=Side(draft.receiver.name, framing(draft.receiver_framing), received),
        encoder=draft.sender.encoder,
        decoder=draft.receiver.decoder,
        page_size=draft.page_size,
        zero_pages=zero_pages(draft.scenario, sent),
        becomes_zero=scenario.becomes_zero,
        fault=FAULTS[draft.fault] if draft.fault else None,
    )
    return PlannedCell(
        suite=draft.suite,
        sender=draft.sender.name,
        receiver=draft.receiver.name,
        sender_framing=draft.sender_framing,
        receiver_framing=draft.receiver_framing,
        sender_dialect=draft.sender_dialect,
        receiver_dialect=draft.receiver_dialect,
        scenario=draft.scenario,
        corpus=draft.corpus,
        page_size=draft.page_size,
        channels=draft.channels,
        sizes=draft.sizes,
        fault=draft.fault,
        prediction=predict(question),
        skip=_skip(draft),
    )


def _runs(peer: LineUpPeer) -> bool:
    return peer.probe is None and peer.skip is None


def _skip(draft: _Draft) -> str | None:
    for peer in (draft.sender, draft.receiver):
        if peer.skip is not None:
            return peer.skip
        if peer.probe is not None:
            return f"{peer.name} failed its probe ({peer.probe}); remedy: mend the peer or take it out of the profile"
    return None


def _wire(line_up: LineUp, options: PlanOptions) -> Iterator[_Draft]:
    """Every encoder x every decoder x every framing, by capture."""
    sizes = _sizes(options.memory)
    corpora = ("mixed", "user") if options.user_corpus else ("mixed",)
    for name, sender, receiver, corpus in itertools.product(FRAMINGS, line_up.senders(), line_up.receivers(), corpora):
        yield _Draft("wire", sender, receiver, name, name, LATEST, LATEST, "capture", sizes, corpus)


def _negotiation(line_up: LineUp) -> Iterator[_Draft]:
    sizes = {"pc.ram": 512 << 10, "vga.vram": 64 << 10}
    speakers = [(d.name, method) for d in DIALECTS.values() for method in d.methods]
    for (sent, method), (received, other) in itertools.product(speakers, speakers):
        pair = _reference_pair(line_up, method, other)
        yield _Draft("negotiation", *pair, method, other, sent, received, "live", sizes)
        new_to_old = dialect(sent).zero_pages is ZeroPages.PACKET and dialect(received).zero_pages is ZeroPages.MAIN
        if method == other and new_to_old:
            yield _Draft("negotiation", *pair, method, other, sent, received, "legacy-zero-pages", sizes)
    yield from _proposals(line_up, sizes)
    yield from _faults(line_up, sizes)


def _proposals(line_up: LineUp, sizes: dict[str, int]) -> Iterator[_Draft]:
    """Every proposal against every framing that travels under the same flag, and against the method it is called."""
    for sent, received in itertools.product(FRAMINGS, FRAMINGS):
        if sent not in PROPOSALS and received not in PROPOSALS:
            continue
        same_flag = FRAMINGS[sent].travels_as == FRAMINGS[received].travels_as
        stub = {sent, received} == {"qatzip", "qatzip-stub"}
        if same_flag or stub:
            pair = _reference_pair(line_up, sent, received)
            yield _Draft("negotiation", *pair, sent, received, LATEST, LATEST, "live", sizes)


def _faults(line_up: LineUp, sizes: dict[str, int]) -> Iterator[_Draft]:
    for spoken, name in itertools.product(DIALECTS, FAULTS):
        pair = _reference_pair(line_up, "zlib", "zlib")
        yield _Draft("negotiation", *pair, "zlib", "zlib", spoken, spoken, "fault", sizes, fault=name)


def _integrity(line_up: LineUp, options: PlanOptions) -> Iterator[_Draft]:
    sizes = {"pc.ram": 1 << 20, "vga.vram": 256 << 10}
    turn = itertools.count()
    for name in FRAMINGS:
        pairs = _able_pairs(line_up, name)
        if not pairs:
            continue

        def draft(
            scenario: str,
            *,
            spoken: str = LATEST,
            name: str = name,
            pairs: list[tuple[LineUpPeer, LineUpPeer]] = pairs,
            **changes: object,
        ) -> _Draft:
            sender, receiver = pairs[next(turn) % len(pairs)]
            merged = {"sizes": sizes, **changes}
            return _Draft("integrity", sender, receiver, name, name, spoken, spoken, scenario, **merged)  # type: ignore[arg-type]

        for corpus in _corpora(name, options):
            yield draft("whole", corpus=corpus)
        for page_size in (16384, 65536):
            yield draft("whole", page_size=page_size)
            yield draft("live", page_size=page_size)
        for channels in (1, 3, 16):
            yield draft("live", channels=channels)
        if name in ("none", "zlib"):
            yield draft("live", channels=255)
        for spoken in _speaking(name):
            for scenario in ("live", "zero-only", "partial", "empty", "stale"):
                yield draft(scenario, spoken=spoken)
        for sender, receiver in _mutating_pairs(pairs):
            yield _Draft("integrity", sender, receiver, name, name, LATEST, LATEST, "mutating", sizes)


def _corpora(name: str, options: PlanOptions) -> Iterable[str]:
    """All corpora for the methods; for the proposals the kinds of content and the periods that matter most."""
    everything = [c for c in options.corpora if c != "mixed"]
    if name not in METHOD_FRAMINGS:
        everything = [c for c in everything if not c.startswith("period-") or c in PERIODS]
    return [*everything, "user"] if options.user_corpus else everything


def _speaking(name: str) -> list[str]:
    """Dialects that have the method under whose flag the framing travels."""
    return [d.name for d in DIALECTS.values() if framing(name).travels_as in d.flags]


def _mutating_pairs(pairs: Sequence[tuple[LineUpPeer, LineUpPeer]]) -> list[tuple[LineUpPeer, LineUpPeer]]:
    """Every encoder once: what matters is how it reads pages that change."""
    return list({sender.name: (sender, receiver) for sender, receiver in pairs}.values())


def _able_pairs(line_up: LineUp, name: str) -> list[tuple[LineUpPeer, LineUpPeer]]:
    """Pairings that must end identical, so that every codec gets its turn; the same in whatever order peers are."""
    able = []
    senders, receivers = (sorted(peers, key=_name) for peers in (line_up.senders(), line_up.receivers()))
    for sender, receiver in itertools.product(senders, receivers):
        if _runs(sender) and _runs(receiver):
            cell = _predicted(
                _Draft("integrity", sender, receiver, name, name, LATEST, LATEST, "whole", {}, page_size=65536)
            )
            if cell.prediction.outcome == "identical":
                able.append((sender, receiver))
    return able


def _name(peer: LineUpPeer) -> str:
    return peer.name


def _reference_pair(line_up: LineUp, sent: str, received: str) -> tuple[LineUpPeer, LineUpPeer]:
    """The peers that stand for two framings; one that the profile lacks has a stand-in, which is skipped."""
    sender, receiver = REFERENCE.get(sent, "zlib"), REFERENCE.get(received, "zlib")
    return (
        next((p for p in line_up.senders() if p.name == sender), None) or stand_in(sender, "sender"),
        next((p for p in line_up.receivers() if p.name == receiver), None) or stand_in(receiver, "receiver"),
    )


def stand_in(name: str, role: str = "peer") -> LineUpPeer:
    """For a codec of ours that the profile lacks, in a role: what is predicted of it is known, and it is skipped."""
    codec = create(name)
    return LineUpPeer(
        name=name, command=(), environment={}, external=False, roles=(), codec=name, device=codec.device,
        provenance=codec.provenance, version=codec.version, encoder=codec.encoder, decoder=codec.decoder, probe=None,
        skip=f"the profile has no {role} {name}, with which this is negotiated;"
             f" remedy: add '- codec: {name}' to its peers",
    )  # fmt: skip


def _sizes(memory: int) -> dict[str, int]:
    """Two RAM blocks of ``memory`` bytes together; raises InputError where that cannot be."""
    unit = 512 << 10
    if memory % unit or memory < 4 * unit:
        raise InputError(f"--memory {memory}: expected a multiple of 512K, at least 2M")
    return {"pc.ram": memory - unit, "vga.vram": unit}
