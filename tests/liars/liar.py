"""A peer that lies: ``python tests/liars/liar.py LIE [CODEC]``, with this project on PYTHONPATH.

Liars are real processes that speak the peer contract and break it, or the memory, in one named way each.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from multifd.codec import create
from tests.liars import receiving, sending, splicing, talking
from tests.liars.base import Liar
from tests.liars.dying import MORTALS

LIES: Final[Mapping[str, type[Liar]]] = {
    "corrupts-a-bit": receiving.CorruptsABit,
    "corrupts-a-bit-and-knows": receiving.CorruptsABitAndKnows,
    "swaps-pages": receiving.SwapsPages,
    "drops-on-receive": receiving.DropsOnReceive,
    "false-digest": receiving.FalseDigest,
    "accepts-everything": receiving.AcceptsEverything,
    "writes-before-error": receiving.WritesBeforeError,
    "writes-at-once-after-error": receiving.WritesAtOnceAfterError,
    "writes-long-after-error": receiving.WritesLongAfterError,
    "writes-when-greeted": receiving.WritesWhenAskedAfterError,
    "wrong-error": receiving.WrongError,
    "refuses-what-works": receiving.RefusesWhatWorks,
    "listens-elsewhere": receiving.ListensElsewhere,
    "drops-a-packet": sending.DropsAPacket,
    "repeats-a-packet": sending.RepeatsAPacket,
    "wrong-flag": sending.WrongFlag,
    "mislabels": sending.Mislabels,
    "leaves-pages-out": sending.LeavesPagesOut,
    "says-done-and-sends-nothing": sending.SaysDoneAndSendsNothing,
    "accepts-impossible": sending.AcceptsImpossible,
    "flips-in-the-splice": splicing.FlipsInTheSplice,
    "says-hardware": talking.SaysHardware,
    "provenance-changes": talking.ProvenanceChanges,
    "claims-a-container": talking.ClaimsAContainer,
    "claims-streaming": talking.ClaimsStreaming,
    "claims-a-window": talking.ClaimsAWindow,
    "claims-too-little": talking.ClaimsTooLittle,
    "reads-too-much": talking.ReadsTooMuch,
    "refuses-without-saying-why": talking.RefusesWithoutSayingWhy,
    "wrong-contract": talking.WrongContract,
    "wrong-id": talking.WrongId,
    "answers-another-question": talking.AnswersAnotherQuestion,
    "answers-twice": talking.AnswersTwice,
    "answers-late": talking.AnswersLate,
    "garbage": talking.Garbage,
    "half-a-line": talking.HalfALine,
    "long-line": talking.LongLine,
    "no-reply": talking.NoReply,
    "garbage-in-hello": talking.GarbageInHello,
    "floods-stderr": talking.FloodsStderr,
    "chatters-on-stderr": talking.ChattersOnStderr,
    **MORTALS,
}
"""Every lie by name; each class says what it does."""


def main(lie: str, codec: str = "zlib") -> int:
    """Serve one codec, and lie."""
    made = create(codec)
    return LIES[lie](made, lie, sys.stdout).serve(sys.stdin)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
