"""The suite against peers that lie: each lie ends in its own verdict, costs one cell, and leaves no process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from multifd.campaign.conclude import probed
from multifd.campaign.options import Options
from multifd.lineup.introduce import resolve
from multifd.lineup.probe import Prober
from multifd.plan.faults import SIZES
from multifd.plan.pairings import pairing_cell
from multifd.plan.whole import probe_cell
from multifd.profile.model import Deadlines, Profile
from multifd.result.record import Kind, Role, Verdict
from tests.liars.court import PATIENCE, USUAL, Court, Framing, Scenario, altered, entry, line_up, planned, running
from tests.liars.liar import LIES

PACKET = "zlib-packet[window=15]"
NARROW = "zlib-packet[window=12]"


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """One bench for all: a lie that hurt it would show in the next test."""
    court = Court(tmp_path_factory.mktemp("court"))
    yield court
    court.close()


@dataclass(frozen=True)
class Case:
    """A lie told by one side of a pairing of honest peers, and what must come of it."""

    lie: str
    side: Role
    kind: Kind | None
    reason: str
    framing: Framing = PACKET
    sender: str = "zlib"
    receiver: str = "zlib"
    scenario: Scenario = "capture"
    verdict: Verdict = "fail"

    def __str__(self) -> str:
        return f"{self.lie}-{self.sender}-{self.receiver}-{self.side}-{self.scenario}"


def refused(lie: str, kind: Kind, reason: str) -> Case:
    """A receiver of ``none`` that is sent zlib, and lies about refusing it."""
    return Case(lie, "receiver", kind, reason, framing=("zlib", "none"), receiver="none", scenario="whole")


def dying(lie: str, side: Role, scenario: Scenario, how: str, framing: Framing = PACKET) -> Case:
    """A peer that does not live to answer."""
    return Case(lie, side, "crash", f"^peer {lie} {how} before it answered$", framing=framing, scenario=scenario)


CASES = [
    Case("corrupts-a-bit", "receiver", "corrupt",
         r"^hazard: receiver corrupts-a-bit says done, 1 pages hold what was never sent, 0 hold something"
         r" old, first at page 5 of pc.ram; predicted identical; receiver corrupts-a-bit reports a digest that its"
         r" memory does not have$"),
    Case("corrupts-a-bit", "receiver", "corrupt", r"receiver corrupts-a-bit says done, 1 pages hold what was never",
         scenario="whole"),
    Case("corrupts-a-bit-and-knows", "receiver", "corrupt",
         r"^hazard: receiver corrupts-a-bit-and-knows says done, 1 pages .*; predicted identical$"),
    Case("swaps-pages", "receiver", "corrupt", r"receiver swaps-pages says done, [12] pages hold what was never sent"),
    Case("drops-on-receive", "receiver", "corrupt",
         r"receiver drops-on-receive says done, 0 pages hold what was never sent, \d+ hold something old"),
    Case("accepts-everything", "receiver", "corrupt",
         r"receiver accepts-everything says done, 0 pages hold what was never sent, \d+ hold something old"),
    Case("accepts-everything", "receiver", "corrupt", r"hazard: .*; predicted rejected$",
         framing="zlib", receiver="libdeflate"),
    Case("false-digest", "receiver", "invariant",
         r"^receiver false-digest reports a digest that its memory does not have$"),
    refused("writes-before-error", "corrupt",
         r"^hazard: 1 pages hold what was never sent.*; then: multifd \d: flags received 2"),
    refused("writes-at-once-after-error", "corrupt",
         r"^(1 pages were written after the receiver had reported its error|hazard: 1 pages)"),
    refused("writes-long-after-error", "corrupt",
         r"^1 pages were written after the receiver had reported its error$"),
    Case("writes-long-after-error", "receiver", "corrupt",
         r"^1 pages were written after the receiver had reported its error$", framing="zlib", receiver="libdeflate"),
    refused("writes-when-greeted", "corrupt",
         r"^1 pages were written after the receiver had reported its error$"),
    refused("wrong-error", "wrong-error",
         r"^rejected with 'the moon is full', expected an error like 'multifd"),
    Case("refuses-what-works", "receiver", "wrong-error",
         r"^rejected with 'not today', but identical was predicted$"),
    Case("listens-elsewhere", "receiver", "crash",
         r"^peer listens-elsewhere says that it listens at elsewhere, expected a socket at ", scenario="whole"),
    Case("listens-elsewhere", "receiver", "crash",
         r"^peer listens-elsewhere says that it listens at elsewhere, expected a socket at ",
         framing="zlib", scenario="fault"),
    Case("drops-a-packet", "sender", "corrupt",
         r"^hazard: .*; predicted identical; sender drops-a-packet: packet numbers are not contiguous: none"
         r" twice, \[\d+\] missing$"),
    Case("drops-a-packet", "sender", "wrong-error",
         r"^rejected with 'sender drops-a-packet: packet numbers .*', expected an error like 'multifd: received packet"
         r" magic", framing="zlib", scenario="fault"),
    Case("repeats-a-packet", "sender", "invariant",
         r"^sender repeats-a-packet: packet numbers are not contiguous: \[\d+\] twice, none missing$",
         framing="none", sender="none", receiver="none"),
    Case("wrong-flag", "sender", "wrong-error",
         r"^rejected with 'multifd 1: flags received 4 flags expected 2', but identical was predicted; sender"
         r" wrong-flag: packet \d+ of channel 1: flags say 0x4, .* travels under 0x2$"),
    Case("mislabels", "sender", "invariant",
         r"^sender mislabels: manifest of the capture: framing is zlib-packet\[window=15\], asked was"
         r" zlib-packet\[window=12\]$", framing=NARROW),
    Case("leaves-pages-out", "sender", "corrupt",
         r"^hazard: .* 0 pages hold what was never sent, \d+ hold something old, first at page \d+ of pc.ram",
         scenario="whole"),
    Case("says-done-and-sends-nothing", "sender", "crash",
         r"^peer says-done-and-sends-nothing says done, but .*manifest.json: cannot read: No such file"),
    Case("provenance-changes", "sender", "invariant",
         r"^peer provenance-changes declares software and says that it ran as vendor-software$"),
    Case("provenance-changes", "receiver", "invariant",
         r"^peer provenance-changes declares software and says that it ran as vendor-software$", scenario="whole"),
    Case("wrong-id", "sender", "crash", r"^peer wrong-id answered request 8, asked was 1$"),
    Case("answers-another-question", "sender", "crash",
         r"^peer answers-another-question answered Introduction\(.*, expected done or failed$"),
    Case("answers-another-question", "receiver", "crash",
         r"^peer answers-another-question answered Introduction\(.*, expected listening or failed$", scenario="whole"),
    Case("garbage", "receiver", "crash",
         r"^peer garbage wrote garbage on the control stream: b'\\x80\\x81.*Invalid JSON"),
    Case("long-line", "receiver", "crash", r"^peer long-line wrote garbage on the control stream: b'xxx.*than 1 MiB$"),
    Case("no-reply", "sender", "crash",
         r"""^peer no-reply wrote garbage on the control stream: b'{"id": 2, "reply": "perhaps"}'.*expected tags"""),
    Case("floods-stderr", "sender", "crash",
         r"^peer floods-stderr flooded stderr with more than 4 MiB in one request; its log ends: .*no hardware"),
    Case("chatters-on-stderr", "sender", None, "", verdict="pass"),
    Case("chatters-on-stderr", "receiver", None, "", verdict="pass"),
    dying("crashes-in-encode", "sender", "capture", r"was killed by signal 11 \(Segmentation fault\)"),
    dying("exits-in-decode", "receiver", "capture", "exited with status 3"),
    dying("exits-zero-in-receive", "receiver", "whole", "exited with status 0"),
    dying("crashes-in-listening", "receiver", "whole", r"was killed by signal 11 \(Segmentation fault\)"),
    dying("exits-zero-in-send", "sender", "whole", "exited with status 0"),
    dying("exits-in-listening", "receiver", "fault", "exited with status 3", framing="zlib"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_lie_ends_in_its_own_verdict(case: Case, court: Court) -> None:
    cell = planned(court.cells, case.sender, case.receiver, case.framing, case.scenario)

    record = court.hear(court.replaced(cell, case.side, case.lie))
    court.dismiss(case.lie)

    assert (record.verdict, record.kind) == (case.verdict, case.kind), record.reason
    assert re.search(case.reason, record.reason), record.reason
    assert running(case.lie) == []
    assert court.hear(planned(court.cells, "zlib", "zlib", PACKET)).verdict == "pass"


HANGS = [
    ("hangs-in-encode", "sender", "capture"),
    ("hangs-in-decode", "receiver", "capture"),
    ("hangs-in-receive", "receiver", "whole"),
    ("hangs-in-listening", "receiver", "whole"),
    ("hangs-in-listening", "receiver", "fault"),
    ("hangs-in-send", "sender", "whole"),
    ("answers-late", "sender", "capture"),
    ("half-a-line", "receiver", "capture"),
]


@pytest.mark.parametrize(("lie", "side", "scenario"), HANGS)
def test_a_peer_that_does_not_answer_is_killed_at_its_deadline(
    lie: str, side: Role, scenario: Scenario, court: Court
) -> None:
    cell = planned(court.cells, "zlib", "zlib", "zlib", scenario)

    record = court.in_a_hurry(court.replaced(cell, side, lie))

    assert (record.verdict, record.kind) == ("fail", "hang")
    assert re.fullmatch(rf"peer {lie} did not answer within [12] s", record.reason), record.reason
    assert running(lie) == []
    assert court.hear(planned(court.cells, "zlib", "zlib", PACKET)).verdict == "pass"


@pytest.mark.parametrize(
    ("lie", "side", "scenario"),
    [
        ("computes-in-encode", "sender", "capture"),
        ("computes-in-decode", "receiver", "capture"),
        ("computes-in-receive", "receiver", "whole"),
        ("computes-in-listening", "receiver", "whole"),
    ],
)
def test_a_peer_that_computes_at_its_deadline_is_slow_and_passes(
    lie: str, side: Role, scenario: Scenario, court: Court
) -> None:
    cell = planned(court.cells, "zlib", "zlib", PACKET, scenario)

    record = court.in_a_hurry(court.replaced(cell, side, lie))
    court.dismiss(lie)

    assert record.verdict == "pass", record.reason


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("exits-in-leisure", "exited with status 3 after its last answer"),
        ("answers-twice", "answered request 1, asked was 2"),
    ],
)
def test_what_a_peer_does_after_its_answer_costs_the_next_cell_and_no_other(lie: str, said: str, court: Court) -> None:
    first, second, third = (
        court.replaced(planned(court.cells, "zlib", "zlib", framing), "receiver", lie)
        for framing in (PACKET, NARROW, "zlib-page[window=15]")
    )

    records = [court.hear(cell) for cell in (first, second, third)]
    court.dismiss(lie)

    assert [(record.verdict, record.kind) for record in records[:2]] == [("pass", None), ("fail", "crash")]
    assert records[1].reason == f"peer {lie} {said}"
    assert records[2].verdict == "pass"


DECLARED = [
    ("says-hardware", "zlib", PACKET, "sender", "unproven",
     r"^hardware is claimed and nothing proves it: QAT: \d+ jobs were asked for, how many were done"
     r" is not known \(no such device on this host\)$"),
    ("says-hardware", "zlib", PACKET, "receiver", "unproven", r"^hardware is claimed and nothing proves it"),
    ("claims-a-container", "zlib", "zstd", "sender", "wrong-error",
     r"^rejected with 'zlib cannot emit container zstd', but identical was predicted$"),
    ("claims-streaming", "libdeflate", "zlib", "sender", "wrong-error",
     r"^rejected with 'libdeflate cannot keep a stream open across packets \(no sync flush\)', but identical was"),
    ("claims-a-window", "libdeflate", NARROW, "sender", "invariant",
     r"; sender claims-a-window: packet \d+ of channel \d: header announces a window of 32768, .* promises .*window"
     r" 4096$|^sender claims-a-window: packet \d+ of channel \d: header announces a window of 32768"),
    ("claims-a-window", "libdeflate", "raw-packet[window=12]", "sender", "invariant",
     r"^sender claims-a-window: packet \d+ of channel \d: distance \d+ at output offset \d+, raw-packet\[window=12\]"
     r" promises .*window 4096"),
]  # fmt: skip


@pytest.mark.parametrize(("lie", "codec", "framing", "side", "kind", "reason"), DECLARED)
def test_a_false_declaration_is_held_against_what_the_peer_does(
    lie: str, codec: str, framing: str, side: Role, kind: Kind, reason: str, court: Court
) -> None:
    liar = line_up([entry(lie, codec)]).peer(lie)
    court.admit(liar)
    partner = court.known.peer("zstd" if framing == "zstd" else "zlib")
    both = (liar, partner) if side == "sender" else (partner, liar)
    cell = altered(pairing_cell("wire", *both, framing, "capture", SIZES), **USUAL)

    record = court.hear(cell)
    court.dismiss(lie)

    assert (record.verdict, record.kind) == ("fail", kind), record.reason
    assert re.search(reason, record.reason), record.reason


PROBED = [
    ("crashes-in-hello", "crash", r"^peer \S+ was killed by signal 11 \(Segmentation fault\) before it answered$"),
    ("hangs-in-hello", "hang", r"^peer \S+ did not answer within 1 s$"),
    ("garbage-in-hello", "crash", r"^peer \S+ wrote garbage on the control stream: b'welcome to the peer': .*Invalid"),
    ("wrong-contract", "crash", r"^peer \S+ wrote garbage on .*contract: Input should be 'multifd-peer/1'"),
    ("accepts-impossible", "accepted",
     r"^peer \S+ did what cannot be done \(framing no-such-framing\), expected a refusal$"),
    ("claims-too-little", "accepted",
     r"^peer \S+ did as sender what it says it cannot do \(framing gzip-packet\), expected a refusal$"),
    ("reads-too-much", "accepted",
     r"^peer \S+ did as receiver what it says it cannot do \(framing gzip-packet\), expected a refusal$"),
    ("refuses-without-saying-why", "wrong-error",
     r"^as sender it cannot do none: failed as internal \(no\), expected unsupported$"),
    ("claims-a-container", "wrong-error", r"^round trip in zstd: encode: zlib cannot emit container zstd$"),
]  # fmt: skip


@pytest.mark.parametrize(("lie", "kind", "reason"), PROBED)
def test_the_probe_sees_through_a_peer_that_lies_from_the_start(lie: str, kind: Kind, reason: str) -> None:
    deadlines = Deadlines(hello=1.0 if kind == "hang" else PATIENCE, request=PATIENCE)
    profile = Profile(description="liar", peers=(entry(lie),), deadlines=deadlines)

    with Prober() as prober:
        peer = resolve("liar", profile, prober.probe).peer(lie)

    record = probed(probe_cell(peer), peer, Options())

    assert (record.verdict, record.kind) == ("fail", kind)
    assert re.search(reason, record.reason), record.reason
    assert running(lie) == []


def test_every_lie_is_heard() -> None:
    heard = {case.lie for case in CASES} | {lie for lie, *_ in (*HANGS, *DECLARED, *PROBED)}
    heard |= {"exits-in-leisure", "answers-twice"}

    assert {lie for lie in LIES if "-in-" not in lie} <= heard
