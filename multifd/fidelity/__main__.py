"""``python -m multifd.fidelity``: how like the library is our emulator?

Exit status: 0 no unexplained disagreement, 1 some, 2 usage, 3 no library to compare with.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

import click

from multifd.errors import EnvironmentBroke, InputError
from multifd.fidelity import grammar, qatzip, streams
from multifd.fidelity.compare import AGREE, DIFFERENCES, Difference, Pair, iaa, verdict
from multifd.fidelity.grammar import Stream
from multifd.fidelity.library import Outcome, worker
from multifd.fidelity.qatzip_streams import payloads
from multifd.result.counted import counted

_BATCH = 500
_REPORT = 10_000
_SHOWN = 20


def both(count: int, seed: int) -> Iterator[Stream]:
    """Three streams by grammar, then two of an encoder, and so on."""
    for index in range(count):
        yield grammar.stream(seed, index) if index % 5 < 3 else streams.stream(seed, index)


@dataclass(frozen=True, slots=True)
class Model:
    """An emulator, set up in one way."""

    name: str
    decode: Callable[[Stream], Outcome]
    differences: tuple[Difference, ...]
    """That are known between this set-up and the library; the first that applies counts."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared with a library."""

    streams: Callable[[int, int], Iterator[Stream]]
    """By their number and a seed."""
    models: tuple[Model, ...]


SUBJECTS: Final = {
    "qpl": Subject(both, (Model("iaa", iaa, DIFFERENCES["qpl"]),)),
    "qatzip": Subject(
        payloads,
        (
            Model("no device", partial(qatzip.outcome, qatzip.ABSENT), ()),
            Model("qat", partial(qatzip.outcome, qatzip.DEFAULT), qatzip.differences(qatzip.DEFAULT)),
            Model("qat, smallest sizes", partial(qatzip.outcome, qatzip.SMALL), qatzip.differences(qatzip.SMALL)),
        ),
    ),
}
"""By library."""


class Tally:
    """What became of the streams, by class, and those that nothing explains."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.same_status = self.refused = 0
        self.unexplained: list[Pair] = []

    def add(self, pair: Pair) -> None:
        """Count one stream."""
        found = verdict(self.model.differences, pair)
        self.verdicts[pair.stream.kind.partition("+")[0], found or "DISAGREE"] += 1
        if not pair.ours.accepted and not pair.theirs.accepted:
            self.refused += 1
            self.same_status += pair.ours.status == pair.theirs.status
        if found is None:
            self.unexplained.append(pair)

    def print(self) -> None:
        """The table, the differences with their citations, the disagreements."""
        names = [AGREE, *(known.name for known in self.model.differences), "DISAGREE"]
        kinds = sorted({kind for kind, _ in self.verdicts})
        click.echo(f"{self.model.name:28}" + "".join(f"{name:>{max(len(name) + 2, 9)}}" for name in names))
        for kind in kinds:
            cells = (f"{self.verdicts[kind, name]:>{max(len(name) + 2, 9)}}" for name in names)
            click.echo(f"{kind:28}" + "".join(cells))
        click.echo(f"both refuse {self.refused}, with the same status {self.same_status}")
        for known in self.model.differences:
            click.echo(f"{known.name}: {known.what}\n    {known.citation}")
        for pair in self.unexplained[:_SHOWN]:
            stream, ours, theirs = pair.stream, pair.ours, pair.theirs
            click.echo(
                f"DISAGREE {stream.kind} {stream.container} room {stream.room}: emulator {ours.status}"
                f" ({len(ours.output)} bytes), library {theirs.status} ({len(theirs.output)} bytes)"
                f"\n    {stream.data[:200].hex()}{'...' if len(stream.data) > 200 else ''}"
            )


@click.command()
@click.option("--library", type=click.Choice(list(SUBJECTS)), default="qpl", help="Whose emulator.")
@click.option("--streams", "count", type=click.IntRange(1), default=100_000, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Which.")
def main(library: str, count: int, seed: int) -> None:
    """Compare an emulator with the vendor's library on many streams."""
    try:
        tallies = compare(library, count, seed)
    except (InputError, EnvironmentBroke) as problem:
        click.echo(f"multifd.fidelity: {problem}", err=True)
        sys.exit(3)
    for tally in tallies:
        tally.print()
    sys.exit(1 if any(tally.unexplained for tally in tallies) else 0)


def compare(library: str, count: int, seed: int) -> list[Tally]:
    """Give that many streams to both; raises InputError without a library, EnvironmentBroke if it does not run."""
    real, description = worker(library)
    click.echo(f"{description}, {counted(count, 'stream')}, seed {seed}")
    subject = SUBJECTS[library]
    tallies, made = [Tally(model) for model in subject.models], subject.streams(count, seed)
    done, started = 0, time.perf_counter()
    try:
        while batch := list(islice(made, _BATCH)):
            real.begin(batch)
            ours = [[model.decode(stream) for stream in batch] for model in subject.models]
            theirs = real.finish(batch)
            for tally, outcomes in zip(tallies, ours, strict=True):
                for pair in map(Pair, batch, outcomes, theirs):
                    tally.add(pair)
            done += len(batch)
            if done % _REPORT < _BATCH:
                unexplained = sum(len(tally.unexplained) for tally in tallies)
                rate = done / (time.perf_counter() - started)
                click.echo(f"{done} streams, {rate:.0f} per second, {unexplained} unexplained", err=True)
    finally:
        real.close()
    return tallies


if __name__ == "__main__":
    main()
