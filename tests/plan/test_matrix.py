"""The plan: nothing is missing, every cell has one name, and the name is enough to run it again."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import product

import pytest

from multifd.errors import HarnessError, InputError
from multifd.framing.model import FRAMINGS, METHOD_FRAMINGS, PROPOSALS
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.model import LineUp
from multifd.memory.corpus import CORPORA
from multifd.memory.rounds import SHAPES
from multifd.oracle.rules import RULES, Rule
from multifd.plan.cell import PlannedCell
from multifd.plan.matrix import PlanOptions, machine, plan, zero_pages
from multifd.plan.scenario import SCENARIOS, Scenario
from multifd.profile.load import load
from multifd.result.record import Role
from multifd.wire.dialect import DIALECTS, ZeroPages, dialect
from multifd.wire.fault import FAULTS

OPTIONS = PlanOptions(corpora=tuple(CORPORA))


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    profile = load("emulated")
    return resolve("emulated", profile, None, device_peers(profile, []))


@pytest.fixture(scope="module")
def cells(line_up: LineUp) -> list[PlannedCell]:
    return plan(line_up, OPTIONS)


def of(cells: list[PlannedCell], suite: str) -> list[PlannedCell]:
    return [cell for cell in cells if cell.suite == suite]


def probed_badly(line_up: LineUp, name: str) -> LineUp:
    peers = [p.model_copy(update={"probe": "it lied"}) if p.name == name else p for p in line_up.peers]
    return line_up.model_copy(update={"peers": tuple(peers)})


@pytest.mark.parametrize("framing", FRAMINGS)
def test_wire_pairs_every_sender_with_every_receiver(framing: str, cells: list[PlannedCell], line_up: LineUp) -> None:
    pairs = [(cell.sender, cell.receiver) for cell in of(cells, "wire") if cell.sender_framing == framing]

    assert sorted(pairs) == sorted(
        (sender.name, receiver.name) for sender, receiver in product(line_up.senders(), line_up.receivers())
    )


def test_wire_runs_the_users_own_content_too(line_up: LineUp) -> None:
    ours = of(plan(line_up, PlanOptions()), "wire")

    both = of(plan(line_up, PlanOptions(user_corpus=True)), "wire")

    assert [cell.corpus for cell in both] == ["mixed", "user"] * len(ours)


def test_negotiation_has_every_method_against_every_method_in_every_pair_of_dialects(
    cells: list[PlannedCell],
) -> None:
    speakers = {(spoken.name, method) for spoken in DIALECTS.values() for method in spoken.methods}

    planned = [
        ((cell.sender_dialect, cell.sender_framing), (cell.receiver_dialect, cell.receiver_framing))
        for cell in of(cells, "negotiation")
        if cell.scenario == "live" and {cell.sender_framing, cell.receiver_framing} <= set(METHOD_FRAMINGS)
    ]

    assert sorted(planned) == sorted(product(speakers, speakers))


def test_negotiation_has_every_proposal_against_what_travels_under_its_flag(cells: list[PlannedCell]) -> None:
    planned = {(cell.sender_framing, cell.receiver_framing) for cell in of(cells, "negotiation")}

    assert planned >= {
        (sent, read)
        for sent, read in product(FRAMINGS, FRAMINGS)
        if (sent in PROPOSALS or read in PROPOSALS) and FRAMINGS[sent].travels_as == FRAMINGS[read].travels_as
    }


@pytest.mark.parametrize("pair", [("qatzip-stub", "qatzip"), ("qatzip", "qatzip-stub")])
def test_negotiation_has_the_stub_against_the_method_it_is_called(
    pair: tuple[str, str], cells: list[PlannedCell]
) -> None:
    assert pair in {(cell.sender_framing, cell.receiver_framing) for cell in of(cells, "negotiation")}


def test_negotiation_tries_legacy_zero_pages_wherever_the_receiver_ignores_the_new_ones(
    cells: list[PlannedCell],
) -> None:
    hazards = {
        (cell.sender_dialect, cell.receiver_dialect, cell.framing)
        for cell in of(cells, "negotiation")
        if cell.prediction.rule == "zero-pages"
    }

    legacy = {
        (cell.sender_dialect, cell.receiver_dialect, cell.framing): cell.prediction.outcome
        for cell in of(cells, "negotiation")
        if cell.scenario == "legacy-zero-pages"
    }

    assert hazards
    assert {key: legacy[key] for key in hazards} == dict.fromkeys(hazards, "identical")


def test_every_fault_is_played_in_every_dialect(cells: list[PlannedCell]) -> None:
    planned = [(cell.sender_dialect, cell.fault) for cell in cells if cell.fault is not None]

    assert sorted(planned) == sorted(product(DIALECTS, FAULTS))


def test_integrity_sees_every_corpus_under_every_method(cells: list[PlannedCell]) -> None:
    planned = {(cell.sender_framing, cell.corpus) for cell in of(cells, "integrity") if cell.scenario == "whole"}

    assert planned >= set(product(METHOD_FRAMINGS, CORPORA))


def test_integrity_sees_every_encoder_read_pages_that_change(cells: list[PlannedCell], line_up: LineUp) -> None:
    planned = {cell.sender for cell in cells if cell.scenario == "mutating"}

    assert planned == {sender.name for sender in line_up.senders()}


def test_integrity_has_only_cells_that_must_arrive_identical(cells: list[PlannedCell]) -> None:
    assert {cell.prediction.outcome for cell in of(cells, "integrity")} == {"identical"}


OF_OUR_OWN = [rule for rule in RULES if rule.name != "channels"]
"""Rules that peers of ours can show: they are told one number of channels."""


@pytest.mark.parametrize("rule", OF_OUR_OWN, ids=lambda rule: rule.name)
def test_every_rule_decides_a_cell(rule: Rule, cells: list[PlannedCell]) -> None:
    assert any(cell.prediction.rule == rule.name for cell in cells)


def test_ids_are_unique(cells: list[PlannedCell]) -> None:
    assert len({cell.id for cell in cells}) == len(cells)


def test_two_cells_of_one_id_are_a_defect(line_up: LineUp) -> None:
    twins = line_up.model_copy(update={"peers": (line_up.peer("zlib"), line_up.peer("zlib"))})

    with pytest.raises(HarnessError) as error:
        plan(twins, PlanOptions())

    assert str(error.value) == "cell wire/none/zlib~zlib/qemu-10.0/capture/mixed/4k/2ch is planned twice"


def test_the_order_of_peers_does_not_matter(cells: list[PlannedCell], line_up: LineUp) -> None:
    turned = line_up.model_copy(update={"peers": line_up.peers[::-1]})

    assert {cell.id for cell in plan(turned, OPTIONS)} == {cell.id for cell in cells}


def test_the_same_line_up_gives_the_same_plan(cells: list[PlannedCell], line_up: LineUp) -> None:
    assert plan(line_up, OPTIONS) == cells


@dataclass(frozen=True)
class Parsed:
    """What an id says."""

    suite: str
    framings: tuple[str, str]
    peers: tuple[str, str]
    dialects: tuple[str, str]
    scenario: str
    corpus: str
    page_size: int
    channels: int


def both(text: str) -> tuple[str, str]:
    one, _, other = text.partition("~")
    return one, other or one


def parsed(cell_id: str) -> Parsed:
    suite, framings, peers, dialects, scenario, corpus, page_size, channels = cell_id.split("/")
    return Parsed(
        suite, both(framings), both(peers), both(dialects), scenario, corpus,
        int(page_size.removesuffix("k")) * 1024, int(channels.removesuffix("ch")),
    )  # fmt: skip


def test_an_id_says_all_of_its_cell(cells: list[PlannedCell]) -> None:
    assert [parsed(cell.id) for cell in cells] == [
        Parsed(
            cell.suite,
            (cell.sender_framing, cell.receiver_framing),
            (cell.sender, cell.receiver),
            (cell.sender_dialect, cell.receiver_dialect),
            f"{cell.scenario}-{cell.fault}" if cell.fault else cell.scenario,
            cell.corpus,
            cell.page_size,
            cell.channels,
        )
        for cell in cells
    ]


def test_ids_are_plain_text(cells: list[PlannedCell]) -> None:
    assert [cell.id for cell in cells if not re.fullmatch(r"[A-Za-z0-9._=,~/\[\]-]+", cell.id)] == []


def test_the_reproduce_line_is_a_shell_command(cells: list[PlannedCell]) -> None:
    options = ("--hwprofile", "my lab.yaml")

    lines = [shlex.split(cell.reproduce(options)) for cell in cells]

    assert lines == [["tox", "-e", "conformance", "--", "--cell", cell.id, *options] for cell in cells]


def test_the_reproduce_line_quotes_what_a_shell_would_expand(cells: list[PlannedCell]) -> None:
    cell = next(cell for cell in cells if cell.sender_framing == "zlib-packet[window=12]")

    assert cell.reproduce(("--hwprofile", "my lab.yaml")) == (
        "tox -e conformance -- --cell"
        " 'wire/zlib-packet[window=12]/none~none/qemu-10.0/capture/mixed/4k/2ch' --hwprofile 'my lab.yaml'"
    )


def test_results_show_both_sides_only_where_they_differ(cells: list[PlannedCell]) -> None:
    cell = next(cell for cell in cells if cell.prediction.rule == "hidden-flag")

    assert (cell.framing, cell.dialect) == ("uadk>none", "qemu-9.1>qemu-5.0")
    assert (cells[0].framing, cells[0].dialect) == ("none", "qemu-10.0")


@pytest.mark.parametrize("name", ["zlib", "libdeflate", "zstd[level=9]"])
def test_cells_of_a_peer_that_failed_its_probe_are_skipped(name: str, line_up: LineUp) -> None:
    planned = plan(probed_badly(line_up, name), OPTIONS)

    theirs = [cell.skip for cell in planned if name in (cell.sender, cell.receiver)]
    others = [cell.skip for cell in planned if name not in (cell.sender, cell.receiver)]

    assert set(theirs) == {f"{name} failed its probe (it lied); remedy: mend the peer or take it out of the profile"}
    assert set(others) == {None}


def test_a_peer_that_never_introduced_itself_is_planned_and_skipped(line_up: LineUp) -> None:
    silent = line_up.peer("zlib").model_copy(update={"encoder": None, "decoder": None, "probe": "no hello"})

    planned = plan(line_up.model_copy(update={"peers": (silent,)}), OPTIONS)

    assert len(of(planned, "wire")) == len(FRAMINGS)
    assert all(cell.skip is not None and cell.prediction.outcome == "rejected" for cell in of(planned, "wire"))


@pytest.mark.parametrize(
    ("lacks", "role", "kept"),
    [("zlib", "sender", ()), ("zstd", "sender", ()), ("none", "sender", ()), ("zlib", "receiver", ("sender",))],
)
def test_negotiation_without_a_peer_that_it_needs_is_planned_and_skipped(
    lacks: str, role: str, kept: tuple[Role, ...], cells: list[PlannedCell], line_up: LineUp
) -> None:
    peers = [p.model_copy(update={"roles": kept}) if p.name == lacks else p for p in line_up.peers]

    planned = of(plan(line_up.model_copy(update={"peers": tuple(peers)}), OPTIONS), "negotiation")

    theirs = {c.skip for c in planned if lacks == (c.sender if role == "sender" else c.receiver)}
    assert [(c.id, c.prediction) for c in planned] == [(c.id, c.prediction) for c in of(cells, "negotiation")]
    assert theirs == {
        f"the profile has no {role} {lacks}, with which this is negotiated; remedy: add '- codec: {lacks}' to its peers"
    }
    assert {c.skip for c in planned if lacks not in (c.sender, c.receiver)} == {None}


def test_every_name_in_the_plan_exists(cells: list[PlannedCell], line_up: LineUp) -> None:
    peers = {peer.name for peer in line_up.peers}

    for cell in cells:
        assert {cell.sender, cell.receiver} <= peers
        assert {cell.sender_framing, cell.receiver_framing} <= set(FRAMINGS)
        assert {cell.sender_dialect, cell.receiver_dialect} <= set(DIALECTS)
        assert cell.corpus in CORPORA
        assert cell.scenario in SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_every_scenario_has_a_shape_that_exists(scenario: Scenario) -> None:
    assert scenario.shape in {*SHAPES, "mutating"}


def test_every_scenario_is_planned(cells: list[PlannedCell]) -> None:
    ours = {name for name, way in SCENARIOS.items() if way.mode in ("capture", "live", "playback")}

    assert {cell.scenario for cell in cells} == ours


def test_both_ends_run_the_machine_type_of_the_older() -> None:
    old, new = dialect("qemu-5.0"), dialect("qemu-10.0")

    assert machine(old, new) is machine(new, old) is old


@pytest.mark.parametrize(
    ("scenario", "spoken", "place"),
    [
        ("live", "qemu-5.0", ZeroPages.MAIN),
        ("live", "qemu-10.0", ZeroPages.PACKET),
        ("legacy-zero-pages", "qemu-10.0", ZeroPages.MAIN),
    ],
)
def test_where_a_sender_puts_zero_pages(scenario: str, spoken: str, place: ZeroPages) -> None:
    assert zero_pages(scenario, dialect(spoken)) is place


def test_wire_has_as_much_memory_as_asked_for(line_up: LineUp) -> None:
    planned = of(plan(line_up, PlanOptions(memory=8 << 20)), "wire")

    assert {sum(cell.sizes.values()) for cell in planned} == {8 << 20}


@pytest.mark.parametrize("memory", [0, 1 << 20, (2 << 20) + 4096])
def test_memory_that_cannot_be_divided_is_refused(memory: int, line_up: LineUp) -> None:
    with pytest.raises(InputError) as error:
        plan(line_up, PlanOptions(memory=memory))

    assert str(error.value) == f"--memory {memory}: expected a multiple of 512K, at least 2M"


def test_cells_of_one_group_have_one_sender(cells: list[PlannedCell]) -> None:
    senders: dict[str, set[tuple[str, str]]] = {}
    for cell in cells:
        senders.setdefault(cell.group, set()).add((cell.sender, cell.sender_framing))

    assert all(len(found) == 1 for found in senders.values())


def test_one_capture_serves_every_receiver(cells: list[PlannedCell]) -> None:
    keys = {
        cell.capture_key(1)
        for cell in of(cells, "wire")
        if (cell.sender, cell.sender_framing) == ("zlib", "zlib-packet[window=12]")
    }

    assert len(keys) == 1


def test_captures_of_different_senders_framings_and_seeds_are_different(cells: list[PlannedCell]) -> None:
    wire = of(cells, "wire")

    keys = {cell.capture_key(seed) for cell in wire for seed in (1, 2)}

    assert len(keys) == 2 * len({(cell.sender, cell.sender_framing) for cell in wire})
