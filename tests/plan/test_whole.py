"""The whole plan: every cell has one name, the name is enough to run it again, and what cannot be tried is no cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import pytest

from multifd.errors import HarnessError
from multifd.framing.model import FRAMINGS, framing
from multifd.lineup.peers import LineUp
from multifd.memory.blocks import BLOCKS
from multifd.memory.corpus import CORPORA
from multifd.memory.rounds import SHAPES
from multifd.oracle.ability import inabilities
from multifd.oracle.rules import RULES, Rule
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.scenarios.scenario import Scenario
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.whole import Plan, PlanOptions, plan, plan_of
from multifd.plan.work import Pairing
from multifd.wire.dialect import DIALECTS, ZeroPages, dialect
from tests.plan.looking import changed, of, only
from tests.qemu.recorded import peer


def migrations(planned: Plan) -> list[PlannedCell]:
    return [cell for cell in planned.cells.values() if isinstance(cell.work, Pairing)]


OF_QEMU = {"told", "trust", "interrupted", "link", "channels"}
"""Rules that only a real QEMU can show: peers of ours are told what fits, and meet over a link that behaves."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_decides_a_cell(rule: Rule, planned: Plan, line_up: LineUp) -> None:
    new = line_up.model_copy(update={"qemus": (peer("11.1"),)})
    cells = qemu_plan(new) if rule.name in OF_QEMU else planned.cells.values()

    assert any(cell.prediction.rule == rule.name for cell in cells)


def test_two_cells_of_one_id_are_a_defect(line_up: LineUp) -> None:
    twins = only(line_up, line_up.peer("zlib"), line_up.peer("zlib"))

    with pytest.raises(HarnessError) as error:
        plan(twins, {})

    assert str(error.value) == "cell probe/zlib is planned twice"


def test_the_order_of_peers_does_not_matter(planned: Plan, line_up: LineUp) -> None:
    turned = plan(only(line_up, *line_up.peers[::-1]), {})

    assert turned.cells.keys() == planned.cells.keys()


def test_the_same_line_up_gives_the_same_plan(planned_few: Plan, few: LineUp) -> None:
    assert plan(few, {}) == planned_few


def test_what_every_process_reads_is_what_was_planned(planned: Plan) -> None:
    assert Plan.model_validate_json(planned.model_dump_json()) == planned


def test_every_peer_is_probed(planned: Plan, line_up: LineUp) -> None:
    assert [cell.id for cell in of(planned, "probe")] == [f"probe/{peer.name}" for peer in line_up.peers]


def test_one_cell_is_planned_as_the_whole_plan_has_it(line_up: LineUp) -> None:
    two = only(line_up, line_up.peer("zlib"), line_up.peer("isal"))
    whole = plan(two, {"qpl": None})
    last_of_suite = {cell.suite: cell for cell in whole.cells.values()}

    alone = [plan_of(cell.id, two, {"qpl": None}) for cell in last_of_suite.values()]

    assert alone == [Plan(cells={cell.id: cell}, unable=whole.unable) for cell in last_of_suite.values()]
    assert len(alone) == 7


def test_a_cell_that_a_subset_does_without_is_planned_alone(line_up: LineUp) -> None:
    zlib = only(line_up, line_up.peer("zlib")).model_copy(update={"qemus": (peer("10.0"), peer("11.1"))})
    left_out = next(iter(plan(zlib, {}, PlanOptions(subset=True)).left_out.values()))

    one = plan_of(left_out.id, zlib, {}, PlanOptions(subset=True))

    assert one is not None
    assert one.cells == {left_out.id: left_out}


def test_what_is_no_cell_is_not_planned(line_up: LineUp) -> None:
    assert [plan_of(name, line_up, {}) for name in ("probe/nobody", "no-suite/zlib")] == [None, None]


# What a peer cannot do


def test_it_is_said_once_for_each_framing_peer_and_role(planned: Plan, line_up: LineUp) -> None:
    said = [(entry.framing, entry.peer, entry.role, entry.reason) for entry in planned.unable]

    assert said == [
        (name, peer.name, role, reason)
        for name, peer in product(FRAMINGS, line_up.peers)
        for role, reason in inabilities(peer.encoder, peer.decoder, framing(name), 4096).items()
        if role in peer.roles
    ]
    assert len(said) == len(set(said)) > 100


def test_it_has_no_cell(planned: Plan) -> None:
    unable = {(entry.framing, entry.peer, entry.role) for entry in planned.unable}

    pairings = [cell.pairing for cell in migrations(planned) if cell.pairing.page_size == 4096]

    assert not {(p.sender_framing, p.sender, "sender") for p in pairings} & unable
    assert not {(p.receiver_framing, p.receiver, "receiver") for p in pairings} & unable


def test_it_was_tried_if_the_probe_says_so(few: LineUp) -> None:
    probed = changed(few, "zlib", refused={"sender": ("zstd",)})

    entries = {(e.framing, e.role): e.tried for e in plan(probed, {}).unable if e.peer == "zlib"}

    assert entries[("zstd", "sender")]
    assert not any(tried for key, tried in entries.items() if key != ("zstd", "sender"))


def test_a_role_that_the_profile_does_not_give_is_no_inability(few: LineUp) -> None:
    sending = changed(few, "zlib", roles=("sender",))

    assert {e.role for e in plan(sending, {}).unable if e.peer == "zlib"} == {"sender"}


def test_a_peer_that_is_skipped_says_nothing(few: LineUp) -> None:
    skipped = changed(few, "zlib", skip="not today")

    assert not [entry for entry in plan(skipped, {}).unable if entry.peer == "zlib"]


@pytest.mark.parametrize("name", ["zlib", "libdeflate", "zstd[level=9]"])
def test_cells_of_a_peer_that_failed_its_probe_are_skipped(name: str, few: LineUp) -> None:
    cells = migrations(plan(changed(few, name, probe="it lied"), {}))

    theirs = {cell.skip for cell in cells if name in (cell.pairing.sender, cell.pairing.receiver)}
    others = {cell.skip for cell in cells if name not in (cell.pairing.sender, cell.pairing.receiver)}

    assert theirs == {f"{name} failed its probe (it lied); remedy: mend it or take it out of the run"}
    assert others == {None}


# Names


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
    blocks: str
    fill: str


def both(text: str) -> tuple[str, str]:
    one, _, other = text.partition("~")
    return one, other or one


def parsed(cell_id: str) -> Parsed:
    suite, framings, peers, dialects, scenario, corpus, page_size, channels, *rest = cell_id.split("/")
    blocks = next((part for part in rest if part in BLOCKS), "two")
    fill = next((part for part in rest if part not in BLOCKS), "full")
    return Parsed(
        suite, both(framings), both(peers), both(dialects), scenario, corpus,
        int(page_size.removesuffix("k")) * 1024, int(channels.removesuffix("ch")), blocks, fill,
    )  # fmt: skip


def said(cell: PlannedCell) -> Parsed:
    pairing = cell.pairing
    return Parsed(
        cell.suite,
        (pairing.sender_framing, pairing.receiver_framing),
        (pairing.sender, pairing.receiver),
        (pairing.sender_dialect, pairing.receiver_dialect),
        f"{pairing.scenario}-{pairing.fault}" if pairing.fault else pairing.scenario,
        pairing.corpus,
        pairing.page_size,
        pairing.channels,
        pairing.blocks,
        pairing.fill,
    )


def test_an_id_says_all_of_its_migration(planned: Plan) -> None:
    assert [parsed(cell.id) for cell in migrations(planned)] == [said(cell) for cell in migrations(planned)]


def test_ids_are_plain_text(planned: Plan) -> None:
    assert [name for name in planned.cells if not re.fullmatch(r"[A-Za-z0-9._=,~/\[\]-]+", name)] == []


def test_results_show_both_sides_only_where_they_differ(planned: Plan) -> None:
    hidden = next(cell for cell in planned.cells.values() if cell.prediction.rule == "hidden-flag")
    plain = next(cell for cell in of(planned, "wire") if cell.prediction.rule == "receiver-streaming")

    assert (hidden.work.framing, hidden.work.dialect) == ("uadk>none", "qemu-9.1>qemu-5.0")
    assert (plain.work.framing, plain.work.dialect) == ("zlib", "qemu-10.0")


def test_every_name_in_the_plan_exists(planned: Plan, line_up: LineUp) -> None:
    peers = {peer.name for peer in line_up.peers}

    for pairing in (cell.pairing for cell in migrations(planned)):
        assert {pairing.sender, pairing.receiver} <= peers
        assert {pairing.sender_framing, pairing.receiver_framing} <= set(FRAMINGS)
        assert {pairing.sender_dialect, pairing.receiver_dialect} <= set(DIALECTS)
        assert pairing.corpus in CORPORA
        assert pairing.scenario in SCENARIOS


def test_cells_of_one_group_have_one_sender(planned: Plan) -> None:
    senders: dict[str, set[tuple[str, str]]] = {}
    for cell in migrations(planned):
        senders.setdefault(cell.group, set()).add((cell.pairing.sender, cell.pairing.sender_framing))

    assert all(len(found) == 1 for found in senders.values())


# Scenarios


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_every_scenario_has_a_shape_that_exists(scenario: Scenario) -> None:
    assert scenario.shape in {*SHAPES, "mutating"}


def test_every_scenario_is_planned(planned: Plan) -> None:
    ours = {name for name, way in SCENARIOS.items() if way.mode in ("capture", "live", "playback")}

    assert {cell.pairing.scenario for cell in migrations(planned)} == ours


def test_both_ends_run_the_machine_type_of_the_older(planned: Plan) -> None:
    pairing = of(planned, "wire")[0].pairing

    for ends in (("qemu-5.0", "qemu-10.0"), ("qemu-10.0", "qemu-5.0")):
        between = pairing.model_copy(update=dict(zip(("sender_dialect", "receiver_dialect"), ends, strict=True)))
        assert between.machine.name == "qemu-5.0"


@pytest.mark.parametrize(
    ("scenario", "spoken", "place"),
    [
        ("live", "qemu-5.0", ZeroPages.MAIN),
        ("live", "qemu-10.0", ZeroPages.PACKET),
        ("legacy-zero-pages", "qemu-10.0", ZeroPages.MAIN),
    ],
)
def test_where_a_sender_puts_zero_pages(scenario: str, spoken: str, place: ZeroPages) -> None:
    assert SCENARIOS[scenario].zero_pages(dialect(spoken)) is place
