"""Which cells speak of which line."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.advice.lines import CHANNELS, FEWER, UNLIKE, Direction, Line
from multifd.advice.of_run import directions, judged
from multifd.advice.whom import host
from multifd.result.record import Cell, CpuSeconds, Peer, Results, Setting
from tests.reports.builder import cell, results

LEGACY, PACKETS = (Setting(name="zero-page-detection", value=value) for value in ("legacy", "multifd"))


def live(sender: str, receiver: str, framing: str, dialect: str = "qemu-9.2>qemu-10.0", **changes: Any) -> Cell:
    """A migration between two codecs of ours; its id is where it stands."""
    fields: dict[str, Any] = {"suite": "negotiation", "scenario": "live", **changes}
    return cell(sender=sender, receiver=receiver, framing=framing, dialect=dialect, **fields)


def real(framing: str, sender: str, receiver: str, **changes: Any) -> Cell:
    """One with a real QEMU at one end at least."""
    return live(
        sender, receiver, framing, **{"suite": "qemu", "scenario": "defaults", "dialect": "qemu-9.1", **changes}
    )


def qemu(version: str, *methods: str) -> Peer:
    major, minor, _ = version.split(".")
    said = {
        "methods": methods or ("none", "zlib", "zstd"), "zero-page-detection": ["none", "legacy", "multifd"],
        "machines": [f"pc-i440fx-{major}.{minor}"],
    }  # fmt: skip
    return Peer(
        name=f"qemu-{version}", kind="qemu", codec=None, device=None, provenance="software", version=version,
        roles=("sender", "receiver"), capabilities=said,
    )  # fmt: skip


def run(*cells: Cell, qemus: tuple[Peer, ...] = ()) -> Results:
    whole = results(*cells)
    ours = tuple(peer for peer in whole.peers if peer.kind != "qemu")
    return whole.model_copy(update={"peers": (*ours, *qemus)})


def between(sender: str, receiver: str, results: Results) -> Direction:
    return judged(host(sender, "--from"), host(receiver, "--to"), results)


def only(advice: Direction, method: str, **wanted: Any) -> Line:
    [found] = [
        line
        for line in advice.lines
        if line.method == method and all(getattr(line, name) == value for name, value in wanted.items())
    ]
    return found


def test_a_codec_that_qemu_does_not_use_says_nothing_of_qemu() -> None:
    refused = live("isal", "libdeflate", "zlib", predicted="rejected", observed="rejected", verdict="refused")

    line = only(between("9.2.1", "10.0", run(refused)), "zlib")

    assert (line.verdict, line.rests_on) == ("safe", "oracle")


def test_another_dialect_says_nothing() -> None:
    line = only(between("9.2.1", "10.0", run(live("zstd", "zstd", "zstd", "qemu-9.2>qemu-9.1"))), "zstd")

    assert line.rests_on == "oracle"


def test_a_cell_with_a_fault_says_nothing() -> None:
    wrong = live("zstd", "zstd", "zstd", scenario="fault-magic", verdict="refused", predicted="rejected")

    assert only(between("9.2.1", "10.0", run(wrong)), "zstd").rests_on == "oracle"


def test_what_a_sender_counts_wrong_says_nothing_of_memory() -> None:
    strict = {"scenario": "book-keeping", "verdict": "fail", "kind": "invariant"}
    miscounted = real("zlib", "qemu-9.2.1", "qemu-9.2.1", dialect="qemu-9.2", **strict)

    line = only(between("9.2.1", "9.2.1", run(miscounted, qemus=(qemu("9.2.1"),))), "zlib")

    assert (line.verdict, line.rests_on) == ("safe", "oracle")


def test_many_cells_stand_behind_a_line_and_some_are_named() -> None:
    cells = [live("zstd", "zstd", "zstd", id=f"negotiation/{number}") for number in range(30)]

    line = only(between("9.2.1", "10.0", run(*cells)), "zstd")

    assert line.cells == tuple(f"negotiation/{number}" for number in range(20))
    assert line.provenance == ("software",)


def test_codecs_of_ours_do_not_acquit_releases_of_a_defect_beside_the_wire() -> None:
    arrived = live("zstd", "zstd", "zstd", "qemu-9.0")

    [advice] = [each for each in directions(run(arrived)) if each.sender.device is each.receiver.device is None]

    assert advice.sender.name == advice.receiver.name == "QEMU 9.0"
    hazard = only(advice, "zstd", verdict="hazard")
    assert (hazard.rests_on, "cdc3970f85" in hazard.why) == ("oracle", True)


def test_a_real_qemu_shows_whether_it_has_the_defect_and_legacy_is_another_line() -> None:
    lost = real("zstd", "qemu-9.1.0", "qemu-9.1.0", verdict="fail", kind="corrupt", id="lost")
    legacy = real("zstd", "qemu-9.1.0", "qemu-9.1.0", scenario="migrate-legacy", id="legacy")

    [advice] = directions(run(lost, legacy, qemus=(qemu("9.1.0"),)))

    assert only(advice, "zstd", verdict="hazard").cells == ("lost",)
    assert only(advice, "zstd", verdict="safe").cells == ("legacy",)


def test_a_refusal_that_was_waited_for_is_no_hazard() -> None:
    waited = {"scenario": "busy-return-path", "predicted": "rejected", "observed": "rejected", "verdict": "refused"}
    cell = real("zlib>zstd", "qemu-9.2.1", "qemu-9.2.1", dialect="qemu-9.2", **waited)

    advice = between("9.2.1", "9.2.1", run(cell, qemus=(qemu("9.2.1"),)))

    assert only(advice, UNLIKE, verdict="refused").rests_on == "run"
    assert only(advice, UNLIKE, verdict="hazard").rests_on == "oracle"


@pytest.mark.parametrize(
    ("version", "rests_on"), [("9.2.11", "run"), ("9.2", "run"), ("9.2.1", "oracle"), ("9.2.12", "oracle")]
)
def test_a_real_qemu_stands_for_its_own_release(version: str, rests_on: str) -> None:
    arrived = real("zlib", "qemu-9.2.11", "qemu-9.2.11", dialect="qemu-9.2")

    advice = between(version, version, run(arrived, qemus=(qemu("9.2.11"),)))

    assert max(line.rests_on for line in advice.lines if line.method == "zlib") == rests_on


# Unequal numbers of channels, and refusals that end badly

WAITS = {
    "predicted": "rejected", "observed": "hang", "verdict": "known", "kind": "hang",
    "error": "destination setup: no message; source active: no message", "issues": ("qemu-waits-for-missing-channels",),
}  # fmt: skip
DIES = {
    "predicted": "rejected", "observed": "crash", "verdict": "known", "kind": "crash",
    "error": "source killed by signal 6: assertion", "issues": ("qemu-source-aborts-when-reset",),
}  # fmt: skip
REFUSED = {"predicted": "rejected", "observed": "rejected", "verdict": "refused"}


def of_channels(*numbers: tuple[int, int, dict[str, Any]], scenario: str = "more-channels") -> Direction:
    """Between two QEMU 10.0.13, of cells with these numbers of channels; the id of each begins with its place."""
    name = "qemu-10.0.13"
    cells = [
        real("zlib", name, name, id=f"{at}/{one}~{other}ch", dialect="qemu-10.0", scenario=scenario, **what)
        for at, (one, other, what) in enumerate(numbers)
    ]
    return between("10.0.13", "10.0.13", run(*cells, qemus=(qemu("10.0.13"),)))


def test_a_known_hang_is_no_refusal_but_a_hazard_with_its_issue() -> None:
    line = only(of_channels((2, 3, WAITS)), FEWER)

    assert (line.verdict, line.rests_on) == ("hazard", "run")
    assert line.why.startswith("the sender opens 2 channels, the receiver waits for 3; in 1 of 1 cell of the run ")
    assert line.why.endswith("it ended in a hang")
    assert line.issues == ("qemu-waits-for-missing-channels",)
    assert line.qmp != ()


def test_a_known_crash_decides_over_refusals_and_is_counted() -> None:
    line = only(of_channels((3, 2, REFUSED), (3, 2, DIES)), CHANNELS, rests_on="run")

    assert (line.verdict, line.cells, line.issues) == ("hazard", ("1/3~2ch", "0/3~2ch"), DIES["issues"])
    assert line.why == (
        "the sender opens 3 channels, the receiver waits for 2; in 1 of 2 cells of the run it ended in a crash"
    )


def test_memory_that_was_lost_beside_a_hang_is_told() -> None:
    lost = WAITS | {"observed": "hazard", "kind": "corrupt"}

    assert only(of_channels((2, 3, WAITS), (2, 3, lost)), FEWER).why.endswith("it ended in a hang or lost memory")


def test_a_death_after_the_refusal_is_no_refusal() -> None:
    line = only(of_channels((3, 2, DIES | {"observed": "rejected"})), CHANNELS, rests_on="run")

    assert line.verdict == "hazard"


def test_two_methods_that_kill_the_source_are_a_hazard() -> None:
    cell = real("zlib>zstd", "qemu-10.0.13", "qemu-10.0.13", dialect="qemu-10.0", **DIES)

    advice = between("10.0.13", "10.0.13", run(cell, qemus=(qemu("10.0.13"),)))

    assert only(advice, UNLIKE, rests_on="run").verdict == "hazard"
    assert not [line for line in advice.lines if line.method == UNLIKE and line.verdict == "refused"]


def test_more_channels_and_fewer_rest_on_their_own_cells() -> None:
    advice = of_channels((2, 3, WAITS), (3, 2, REFUSED))

    assert only(advice, FEWER).cells == ("0/2~3ch",)
    assert only(advice, CHANNELS, verdict="refused").cells == ("1/3~2ch",)


def test_of_fewer_channels_nothing_is_said_where_no_cell_has_them() -> None:
    assert FEWER not in {line.method for line in of_channels((3, 2, REFUSED)).lines}


def test_where_the_destination_is_slow_to_look_the_text_is_about_the_cells_direction() -> None:
    lost = {"predicted": "hazard", "observed": "hazard", "verdict": "hazard"}

    advice = of_channels((2, 3, lost), scenario="busy-fewer-channels")

    line = only(advice, FEWER)
    assert (line.verdict, line.cells, "too many" in line.why) == ("hazard", ("0/2~3ch",), False)
    assert line.why == (
        "where the destination is slow to look, by the time the receiver looks, the sender has sent everything and is"
        " done"
    )
    assert only(advice, CHANNELS, verdict="hazard").rests_on == "oracle"


def test_a_refusal_that_came_in_time_does_not_acquit() -> None:
    sooner = {"predicted": "hazard", "observed": "rejected", "verdict": "refused"}

    line = only(of_channels((3, 2, sooner), scenario="busy-more-channels"), CHANNELS, verdict="hazard")

    assert line.rests_on == "oracle"


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (
            ("destination exit status 1: no message", "destination exit status 1: Extra"),
            "destination exit status 1: Extra",
        ),
        (("destination exit status 1: no message",), None),
    ],
    ids=["one has words", "none has"],
)
def test_a_refusal_without_words_is_given_none(errors: tuple[str, ...], words: str | None) -> None:
    advice = of_channels(*((3, 2, REFUSED | {"error": error}) for error in errors))

    assert only(advice, CHANNELS, verdict="refused").words == words


# Accelerators


def test_under_its_own_method_an_accelerators_host_is_what_its_codecs_are() -> None:
    software = live("zlib", "zlib", "qatzip", "qemu-10.0")
    library = live("qatzip", "qatzip", "qatzip", "qemu-10.0", id="library")

    advice = between("10.0+icx-c62x", "10.0+icx-c62x", run(software, library))

    assert only(advice, "qatzip").cells == ("library",)


def test_of_a_host_with_an_accelerator_real_qemus_speak_of_the_methods_of_the_cpu() -> None:
    ours = live("zstd", "zstd", "zstd", "qemu-9.2", id="ours")
    theirs = real("zstd", "qemu-9.2.1", "qemu-9.2.1", dialect="qemu-9.2", id="theirs")

    advice = between("9.2.1+icx-c62x", "9.2.1", run(ours, theirs, qemus=(qemu("9.2.1"),)))

    assert only(advice, "zstd").cells == ("theirs",)


def test_of_a_host_with_an_accelerator_its_codecs_speak_of_its_own_method() -> None:
    ours = live("qatzip", "qatzip", "qatzip", "qemu-9.2", id="ours")
    theirs = real("qatzip", "qemu-9.2.1", "qemu-9.2.1", dialect="qemu-9.2", id="theirs")

    advice = between("9.2.1+icx-c62x", "9.2.1", run(ours, theirs, qemus=(qemu("9.2.1"),)))

    assert only(advice, "qatzip").cells == ("ours",)


@pytest.mark.parametrize(
    ("ends", "codecs", "at"),
    [
        (("10.0+icx-c62x", "7.2"), ("qatzip[stream=1]", "zlib"), "sender"),
        (("7.2", "10.0+icx-c62x"), ("zlib", "qatzip[stream=1]"), "receiver"),
    ],
)
def test_what_a_library_could_do_rests_on_its_calls_for_streams_at_that_end(
    ends: tuple[str, str], codecs: tuple[str, str], at: str
) -> None:
    streams = live(*codecs, "zlib", suite="wire", scenario="capture", dialect="qemu-10.0", id="streams")
    wrong_way = live(*codecs[::-1], "zlib", suite="wire", scenario="capture", dialect="qemu-10.0", id="wrong way")
    one_shot = live("zlib", "qatzip", "zlib", suite="wire", scenario="capture", verdict="refused", id="one-shot")

    line = only(between(*ends, run(streams, wrong_way, one_shot)), "zlib", library="libqatzip")

    assert (line.at, line.verdict, line.cells) == (at, "safe", ("streams",))


def test_what_a_library_could_do_rests_on_real_qemus_too() -> None:
    spliced = real("zlib", "qatzip[stream=1]", "qemu-7.2.22", scenario="splice", dialect="qemu-5.0", id="spliced")
    seven = qemu("7.2.22").model_copy(update={"capabilities": {}})

    line = only(between("10.0+icx-c62x", "7.2.22", run(spliced, qemus=(seven,))), "zlib", library="libqatzip")

    assert line.cells == ("spliced",)


def test_what_a_method_costs_on_silicon_is_not_what_it_costs_on_a_cpu() -> None:
    took: dict[str, Any] = {
        "bytes_memory": 1 << 30,
        "dialect": "qemu-9.2",
        "cpu_seconds": CpuSeconds(sender=9.0, receiver=9.0),
    }
    names = "qemu-9.2.1", "qemu-9.2.1"
    cells = [real(method, *names, **took) for method in ("none", "qatzip", "zstd")]
    whole = run(*cells, qemus=(qemu("9.2.1", "none", "zstd", "qatzip"),))

    advice = between("10.0+icx-c62x", "10.0+icx-c62x", whole)

    assert (only(advice, "qatzip").cost, only(advice, "zstd").cost) == (None, 0.0)
