"""What is planned of the memory of real QEMUs' guests: content, packets, blocks, sizes. Few cells, nothing left out."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.memory.blocks import GUESTS
from multifd.memory.corpus import CORPORA
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.contents import contents, of_user
from multifd.plan.qemu.large import LARGE, large
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.qemu.zero_runs import zero_runs
from multifd.plan.work import USUAL_BLOCKS
from tests.qemu.recorded import peer

OLD, MIDDLE, NEW = peer("7.2"), peer("10.0"), peer("11.1")
QEMUS = (OLD, MIDDLE, NEW)
NAMES = tuple(qemu.name for qemu in QEMUS)
METHODS = ("none", "zlib", "zstd")
PAIRS = tuple(itertools.product(QEMUS, QEMUS))
WAYS = {"quarter", "one-page", "packet-and-one", "half-zero", "three-rounds"}


def only(line_up: LineUp, *qemus: QemuPeer) -> LineUp:
    return line_up.model_copy(update={"qemus": qemus})


@pytest.fixture(scope="module", name="line_up")
def with_qemus(line_up: LineUp) -> LineUp:
    return only(line_up, *QEMUS)


@pytest.fixture(scope="module")
def rows(line_up: LineUp) -> list[PlannedCell]:
    return list(contents(line_up, seed=1))


def test_a_machine_that_takes_no_dimm_has_none(line_up: LineUp) -> None:
    machines = {"machines": ("virt-11.1",), "others": {}, "target": "aarch64"}
    arm = NEW.model_copy(update={"name": "qemu-arm", "facts": NEW.facts.model_copy(update=machines)})

    planned = list(contents(only(line_up, arm), seed=1))

    assert {cell.pairing.blocks for cell in planned} == {USUAL_BLOCKS}
    assert len({cell.id for cell in planned}) == len(planned) > 10


def values(cell: PlannedCell) -> dict[str, object]:
    pairing = cell.pairing
    receiver = pairing.receiver if pairing.receiver.startswith("qemu") else "ours"
    return {
        "pair": (pairing.sender, receiver), "method": pairing.framing, "way": pairing.scenario.removesuffix("-legacy"),
        "blocks": pairing.blocks, "channels": pairing.channels,
    }  # fmt: skip


# The array


@pytest.mark.parametrize("method", ["zlib", "zstd"])
def test_every_encoder_meets_every_content(method: str, rows: list[PlannedCell]) -> None:
    met = {cell.pairing.corpus for cell in rows if cell.pairing.framing == method}

    assert met == CORPORA.keys() - {"mixed"}


def test_every_two_values_of_all_other_factors_meet(rows: list[PlannedCell]) -> None:
    every = [values(cell) for cell in rows]
    domains = {factor: {row[factor] for row in every} for factor in every[0]}
    assert domains["blocks"] == {USUAL_BLOCKS, *GUESTS}
    assert domains["way"] == WAYS
    assert domains["method"] == set(METHODS)
    assert domains["channels"] == {1, 2, 3, 8}
    assert domains["pair"] == {(sender.name, receiver) for sender in QEMUS for receiver in (*NAMES, "ours")}

    for one, other in itertools.combinations(domains, 2):
        met = {(row[one], row[other]) for row in every}
        assert met == set(itertools.product(domains[one], domains[other])), (one, other)


def test_that_takes_few_cells(rows: list[PlannedCell]) -> None:
    assert 2 * (len(CORPORA) - 1) <= len(rows) <= 110


def test_all_of_it_must_arrive(rows: list[PlannedCell]) -> None:
    assert {cell.prediction.outcome for cell in rows} == {"identical"}


def test_zero_pages_travel_on_the_main_channel_only_where_the_receiver_would_lose_them(
    rows: list[PlannedCell],
) -> None:
    legacy = {
        (cell.pairing.sender, cell.pairing.receiver) for cell in rows if cell.pairing.scenario.endswith("-legacy")
    }

    assert legacy == {(MIDDLE.name, OLD.name), (NEW.name, OLD.name)}


def test_another_seed_combines_otherwise(line_up: LineUp, rows: list[PlannedCell]) -> None:
    ids = {cell.id for cell in rows}

    assert {cell.id for cell in contents(line_up, seed=1)} == ids
    assert {cell.id for cell in contents(line_up, seed=2)} != ids


def test_a_binary_with_more_methods_gives_each_of_them_every_content(line_up: LineUp) -> None:
    lab = peer("10.0", "qpl", "uadk", "qatzip", name="qemu-lab")

    met = {(cell.pairing.framing, cell.pairing.corpus) for cell in contents(only(line_up, OLD, lab), seed=1)}

    assert met >= set(itertools.product(("zlib", "zstd", "qpl", "uadk", "qatzip"), CORPORA.keys() - {"mixed"}))


def test_without_a_qemu_there_are_none(line_up: LineUp) -> None:
    assert [*contents(only(line_up), seed=1), *large(only(line_up), 0), *zero_runs(only(line_up))] == []


# The user's own


def test_the_users_content_goes_through_every_real_encoder(line_up: LineUp) -> None:
    cells = [cell.pairing for cell in of_user(line_up)]

    assert Counter((cell.sender, cell.framing) for cell in cells) == Counter(itertools.product(NAMES, METHODS))
    assert {cell.corpus for cell in cells} == {"user"}


def test_the_users_content_is_planned_only_if_there_is_some(line_up: LineUp) -> None:
    planned = {flag: [c.pairing.corpus for c in qemu_plan(line_up, user_corpus=flag)] for flag in (False, True)}

    assert "user" not in planned[False]
    assert planned[True].count("user") == len(NAMES) * len(METHODS)


# Runs of zero pages


def test_every_pair_with_every_method_has_whole_packets_of_zero_pages(line_up: LineUp) -> None:
    planned = Counter((c.pairing.sender, c.pairing.receiver, c.pairing.framing) for c in zero_runs(line_up))

    assert planned == Counter(
        {
            (sender.name, receiver.name, method): 2 if sender.facts.zero_pages else 1
            for sender, receiver in PAIRS
            for method in METHODS
        }
    )


def test_they_are_lost_on_a_receiver_that_ignores_zero_pages_in_packets_and_nowhere_else(line_up: LineUp) -> None:
    hazards = {
        (c.pairing.sender, c.pairing.receiver, c.pairing.scenario)
        for c in zero_runs(line_up)
        if c.prediction.outcome != "identical"
    }

    assert hazards == {(sender.name, OLD.name, "zero-run") for sender in (MIDDLE, NEW)}


# Large guests


def test_large_guests_go_from_the_oldest_to_the_newest_and_back(line_up: LineUp) -> None:
    cells = list(large(only(line_up, MIDDLE, NEW, OLD), 0))

    assert [(c.pairing.sender, c.pairing.receiver, c.pairing.scenario) for c in cells] == [
        (OLD.name, NEW.name, "large"),
        (NEW.name, OLD.name, "large-legacy"),
    ]
    assert {c.prediction.outcome for c in cells} == {"identical"}


def test_one_binary_sends_a_large_guest_to_itself(line_up: LineUp) -> None:
    (cell,) = large(only(line_up, NEW), 0)

    assert (cell.pairing.sender, cell.pairing.receiver) == (NEW.name, NEW.name)


@pytest.mark.parametrize(("asked", "given"), [(0, LARGE), (1 << 20, LARGE), (2 << 30, 2 << 30)])
def test_a_large_guest_has_what_is_asked_for_and_not_less(asked: int, given: int, line_up: LineUp) -> None:
    sizes = [c.pairing.sizes for c in qemu_plan(line_up, memory=asked) if c.pairing.scenario.startswith("large")]

    assert sizes == [{"m": given}] * 2
