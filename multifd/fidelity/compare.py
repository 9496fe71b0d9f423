"""The emulator's outcome and the library's, side by side.

They agree if both decode to the same bytes, or both refuse. The library's software path is not the silicon, though:
where the two are known to differ the difference has a name, a rule that recognises it in a pair of outcomes, and the
source of the fact. Whatever no rule recognises is a disagreement, and one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from multifd.codec.qpl_container import unwrap
from multifd.codec.silicon.iaa import Completion, Descriptor, execute
from multifd.codec.silicon.iaa_inflate import inflate
from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.fidelity.grammar import Stream
from multifd.fidelity.library import Outcome

AGREE: Final = "agree"


@dataclass(frozen=True, slots=True)
class Pair:
    """One stream and what became of it twice."""

    stream: Stream
    ours: Outcome
    """The emulator's."""
    theirs: Outcome
    """The library's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A way in which silicon and the library's software path are known to differ."""

    name: str
    applies: Callable[[Pair], bool]
    what: str
    citation: str


def iaa(stream: Stream) -> Outcome:
    """What the emulated accelerator makes of a stream; output before an error is kept."""
    try:
        raw = unwrap(stream.data, stream.container)
    except Refusal as refusal:
        return Outcome(refusal.status, b"")
    record = execute(Descriptor("decompress", raw, stream.room))
    if record.completion is Completion.SUCCESS:
        return Outcome(0, record.output)
    return Outcome(record.status, record.output)


_BUFFER: Final = 1 << 16
"""Bytes of ``tmp_out_buffer`` (``sources/isal/include/igzip_lib.h``, qpl 1.6.0), look-ahead not counted."""
_SHORTEST_MATCH: Final = 3
_LONGEST_MATCH: Final = 258
_SPANNING: Final = {Status.FIRST_D_CODE_16_ERR, Status.WRONG_NUM_LL_CODES_ERR}
_DISTANCE: Final = {Status.BAD_DIST_ERR, Status.REF_BEFORE_START_ERR}


def _goes_on(pair: Pair) -> bool:
    """The library is content with what comes before our error, or with less."""
    return not pair.ours.accepted and pair.theirs.accepted and pair.ours.output.startswith(pair.theirs.output)


def _truncated(pair: Pair) -> bool:
    return pair.ours.status == Status.BAD_EOF_ERR and _goes_on(pair)


def _beyond_buffer(pair: Pair) -> bool:
    return len(pair.theirs.output) >= _BUFFER and _goes_on(pair)


def _counted(pair: Pair) -> bool:
    ours, theirs = pair.ours, pair.theirs
    return (
        ours.status in _DISTANCE
        and theirs.accepted
        and len(theirs.output) >= _BUFFER
        and _SHORTEST_MATCH <= len(theirs.output) - len(ours.output) <= _LONGEST_MATCH
        and theirs.output.startswith(ours.output)
    )


def _spanning(pair: Pair) -> bool:
    if pair.ours.status not in _SPANNING or not pair.theirs.accepted:
        return False
    stream = pair.stream
    try:
        expected = Outcome(0, inflate(unwrap(stream.data, stream.container), stream.room, spanning=True))
    except Refusal as refusal:
        expected = Outcome(refusal.status, refusal.output)
    as_software = Pair(stream, expected, pair.theirs)
    return agree(as_software) or _truncated(as_software)


DIFFERENCES: Final[dict[str, tuple[Difference, ...]]] = {
    "qpl": (
        Difference(
            "truncated-input-is-ok",
            _truncated,
            "input that ends before the final end-of-block: silicon 215, software status 0 with the output so far",
            "silicon: CHECK_FOR_EOB on every LAST job, sources/c_api/legacy_hw_path/qpl_hw_inflate_job.cpp"
            " (qpl 1.6.0); software: own_inflate ends with status ok,"
            " sources/middle-layer/compression/inflate/inflate.cpp (qpl 1.6.0)",
        ),
        Difference(
            "error-after-64-KiB-is-ok",
            _beyond_buffer,
            "an error in data beyond the first 64 KiB of output: silicon its code, software status 0, short output",
            "own_inflate keeps an error only from the pass into tmp_out_buffer; that of the passes behind it is"
            " overwritten with ok, sources/middle-layer/compression/inflate/inflate.cpp",
        ),
        Difference(
            "bad-match-is-counted",
            _counted,
            "a distance beyond 4096 after 64 KiB of output: software status 0, and total_out includes the match, whose"
            " bytes are not written; where it is the last match, the length is right and the data wrong",
            "measured on 1.9.0, software path: with at least 20 bytes of input and 300 of room behind the match, where"
            " sources/isal/igzip/igzip_decode_block_stateless.asm is in its fast loop; the status is lost as above",
        ),
        Difference(
            "run-spans-alphabets",
            _spanning,
            "a repeat from the literal/length into the distance code lengths: silicon 204 or 206, software accepts",
            'tests: InflateErrorsTest first_distance_code_is_16, strading_code_length_codes ("could not be returned by'
            ' the isa-l because ll codes parsed with dist codes in the same loop"); seen in intel/qpl issue 21',
        ),
    ),
}
"""By library; the first that applies counts."""


def agree(pair: Pair) -> bool:
    """Both decode to the same bytes, or both refuse."""
    ours, theirs = pair.ours, pair.theirs
    return ours.accepted == theirs.accepted and (not ours.accepted or ours.output == theirs.output)


def verdict(differences: Sequence[Difference], pair: Pair) -> str | None:
    """:data:`AGREE`, the name of the difference, or None for a disagreement."""
    if agree(pair):
        return AGREE
    return next((known.name for known in differences if known.applies(pair)), None)


def judge(library: str, pair: Pair) -> str | None:
    """The verdict by the differences that are known of a library."""
    return verdict(DIFFERENCES[library], pair)
