"""The fidelity suite's own parts: what the grammar makes, what counts as agreement, and a worker that crashes."""

from __future__ import annotations

import sys
import zlib
from collections import Counter

import pytest
from click.testing import CliRunner

from multifd.codec.silicon.iaa_inflate import inflate
from multifd.codec.silicon.iaa_status import Status
from multifd.errors import EnvironmentBroke, InputError
from multifd.fidelity import grammar, library, streams
from multifd.fidelity.__main__ import both, main
from multifd.fidelity.blocks import DEFECTS
from multifd.fidelity.compare import AGREE, Pair, iaa, judge
from multifd.fidelity.grammar import Stream
from multifd.fidelity.library import CRASHED, Outcome, Worker
from multifd.framing.deflate import walk
from multifd.framing.walked import DeflateError

# --- grammar --------------------------------------------------------------------------------------------------


def of_kind(kind: str, count: int = 40) -> list[Stream]:
    """Streams of one kind to which nothing happened afterwards."""
    first = list(DEFECTS).index(kind)
    made = (grammar.stream(1, first + index * len(DEFECTS)) for index in range(6 * count))
    return [stream for stream in made if stream.kind == kind][:count]


def test_a_stream_follows_from_seed_and_index() -> None:
    assert [grammar.stream(3, 7), streams.stream(3, 7)] == [grammar.stream(3, 7), streams.stream(3, 7)]
    assert grammar.stream(3, 7) != grammar.stream(4, 7)


@pytest.mark.parametrize(
    "kind", ["valid", "far", "one-distance-code", "distance-1", "distance-4097", "distance-32768", "stored"]
)
def test_valid_streams_are_deflate_to_zlib(kind: str) -> None:
    for stream in of_kind(kind):
        decoder = zlib.decompressobj(-15)

        assert len(decoder.decompress(stream.data)) == stream.room
        assert (decoder.eof, decoder.unused_data) == (True, b"")


@pytest.mark.parametrize("distance", [4096, 4097, 32768])
def test_distances_are_where_they_are_said_to_be(distance: int) -> None:
    for stream in of_kind(f"distance-{distance}"):
        assert walk(stream.data).max_distance == distance


@pytest.mark.parametrize(
    "kind", ["stored-lengths", "reserved-type", "over-subscribed", "header-counts", "no-literals", "reserved-symbol"]
)
def test_defects_are_defects_to_zlib(kind: str) -> None:
    for stream in of_kind(kind):
        with pytest.raises(DeflateError):
            walk(stream.data)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("distance-4097", {Status.BAD_DIST_ERR}),
        ("spanning-run", {Status.FIRST_D_CODE_16_ERR, Status.WRONG_NUM_LL_CODES_ERR}),
        ("not-final", {Status.BAD_EOF_ERR}),
        ("no-literals", {Status.NO_LL_CODE_ERR}),
        ("distance-4096", {0}),
        ("one-distance-code", {0}),
    ],
)
def test_the_emulator_says_what_each_kind_is(kind: str, statuses: set[int]) -> None:
    assert {iaa(stream).status for stream in of_kind(kind)} == statuses


def test_offsets_of_every_class_occur() -> None:
    rooms = [stream.room for stream in of_kind("valid", 300)]

    assert min(rooms) < 4096
    assert any(abs(room - 4096) < 300 for room in rooms)
    assert any(65_000 < room < 66_600 for room in rooms)
    assert max(rooms) > 70_000


def test_every_encoder_meets_every_corpus() -> None:
    made = Counter(stream.kind for stream in (streams.stream(1, index) for index in range(len(streams.encoders()))))

    assert {kind.split(",")[0].removeprefix("encoder ") for kind in made} == {
        "zlib",
        "zlib-ng",
        "isal",
        "libdeflate",
        "iaa-emulated",
    }


# --- agreement ------------------------------------------------------------------------------------------------

SPANNING = next(stream for stream in of_kind("spanning-run") if iaa(stream).status == 206)


def verdict(ours: Outcome, theirs: Outcome, stream: Stream = SPANNING) -> str | None:
    return judge("qpl", Pair(stream, ours, theirs))


PREFIX = bytes(1 << 16)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (Outcome(0, b"same"), Outcome(0, b"same"), AGREE),
        (Outcome(211, b"ab"), Outcome(213, b""), AGREE),
        (Outcome(0, b"one"), Outcome(0, b"other"), None),
        (Outcome(0, b"one"), Outcome(0, b""), None),
        (Outcome(0, b"one"), Outcome(213, b""), None),
        (Outcome(215, b"ab"), Outcome(0, b"ab"), "truncated-input-is-ok"),
        (Outcome(215, b"ab"), Outcome(0, b"a"), "truncated-input-is-ok"),
        (Outcome(215, b"ab"), Outcome(0, b"b"), None),
        (Outcome(215, b"ab"), Outcome(0, b"abc"), None),
        (Outcome(213, PREFIX + b"ab"), Outcome(0, PREFIX), "error-after-64-KiB-is-ok"),
        (Outcome(213, PREFIX[1:]), Outcome(0, PREFIX[1:]), None),
        (Outcome(217, PREFIX), Outcome(0, PREFIX + b"abc"), "bad-match-is-counted"),
        (Outcome(217, PREFIX), Outcome(0, PREFIX + b"ab"), None),
        (Outcome(217, PREFIX), Outcome(0, PREFIX + bytes(259)), None),
        (Outcome(213, PREFIX), Outcome(0, PREFIX + b"abc"), None),
        (Outcome(217, b""), Outcome(0, b"abc"), None),
        (Outcome(206, b""), Outcome(0, b"something else"), None),
        (Outcome(0, b"x"), Outcome(CRASHED, b""), None),
    ],
)
def test_what_agrees_what_is_known_to_differ_and_what_does_not(
    ours: Outcome, theirs: Outcome, expected: str | None
) -> None:
    assert verdict(ours, theirs) == expected


def test_a_run_across_alphabets_differs_only_if_the_library_decodes_it_right() -> None:
    stream = SPANNING
    right = stream.room * b"?"
    theirs = Outcome(0, inflate(stream.data, stream.room, spanning=True))

    assert verdict(iaa(stream), theirs, stream) == "run-spans-alphabets"
    assert verdict(iaa(stream), Outcome(0, right), stream) is None


# --- the worker -----------------------------------------------------------------------------------------------

ECHO = """
import os, sys
from multifd.fidelity.library import Outcome, read_batch, write_answers
write_answers(sys.stdout.buffer, [])
while (batch := read_batch(sys.stdin.buffer)) is not None:
    if any(stream.data == b"crash" for stream in batch):
        os.abort()
    write_answers(sys.stdout.buffer, [Outcome(stream.room, stream.data) for stream in batch])
"""


def test_a_crash_costs_the_stream_that_causes_it() -> None:
    worker = Worker((sys.executable, "-c", ECHO), {"PYTHONPATH": ":".join(sys.path)})
    batch = [Stream("", data, 7) for data in (b"a", b"b", b"crash", b"c", b"d")]

    worker.begin(batch)
    outcomes = worker.finish(batch)
    worker.close()

    assert outcomes == [
        Outcome(7, b"a"),
        Outcome(7, b"b"),
        Outcome(CRASHED, b""),
        Outcome(7, b"c"),
        Outcome(7, b"d"),
    ]


def test_a_worker_that_does_not_start_is_no_crash_of_a_stream() -> None:
    worker = Worker((sys.executable, "-c", "exit(5)"), {})

    with pytest.raises(EnvironmentBroke) as caught:
        worker.begin([Stream("", b"", 1)])

    assert str(caught.value) == f"{sys.executable} -c exit(5) did not start: it exited with status 5"


def test_a_library_that_is_not_there_is_exit_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "libraries", dict)

    result = CliRunner().invoke(main, ["--streams", "1"])

    assert (result.exit_code, result.stderr) == (
        3,
        "multifd.fidelity: library 'qpl' is not there; remedy: multifd vendor fetch\n",
    )


def test_the_emulator_is_like_libqpl_where_that_is_within_reach() -> None:
    batch = list(both(2000, seed=2))
    try:
        worker, _ = library.worker("qpl")
        worker.begin(batch)
    except (InputError, EnvironmentBroke) as problem:
        pytest.skip(str(problem))

    pairs = list(map(Pair, batch, map(iaa, batch), worker.finish(batch)))
    worker.close()

    assert [pair.stream.kind for pair in pairs if judge("qpl", pair) is None] == []
