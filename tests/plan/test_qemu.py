"""The plan of the suite with real QEMUs: nothing is missing, nothing is asked of a binary that it does not offer."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import get_args

import pytest

from multifd.framing.model import FRAMINGS
from multifd.lineup.peers import LineUp, QemuPeer
from multifd.oracle.ability import cannot_send
from multifd.plan.cell import PlannedCell
from multifd.plan.qemu.machine import machine_of
from multifd.plan.qemu.whole import qemu_plan
from multifd.plan.scenarios.settings import LEVELS
from multifd.plan.scenarios.table import SCENARIOS
from multifd.plan.space import Space
from multifd.plan.whole import plan
from multifd.plan.work import Pairing
from multifd.wire.fault import Deed, Lengths
from multifd.wire.fault import fault as written
from tests.qemu.recorded import peer

OLD, MIDDLE, NEW = peer("7.2"), peer("10.0"), peer("11.1")
LAB = peer("10.0", "qpl", "uadk", "qatzip", name="qemu-lab")
QEMUS = (OLD, MIDDLE, NEW, LAB)
OF_QEMU = ("qemu", "splice", "recording", "handshake", "lifetime", "connections", "running")
CHANNELS = {"migrate": (2, 2), "fewer-channels": (2, 3), "more-channels": (3, 2)}
ANCIENT = OLD.model_copy(
    update={"name": "qemu-5.0.0", "facts": OLD.facts.model_copy(update={"machines": ("pc-i440fx-5.0",)})}
)
"""It shares no machine type with the newest."""


@pytest.fixture(scope="module", name="line_up")
def with_qemus(line_up: LineUp) -> LineUp:
    return line_up.model_copy(update={"qemus": QEMUS})


@pytest.fixture(scope="module")
def cells(line_up: LineUp) -> list[PlannedCell]:
    return list(qemu_plan(line_up))


@pytest.fixture(scope="module")
def pairings(cells: list[PlannedCell]) -> list[Pairing]:
    return [cell.pairing for cell in cells]


def only(line_up: LineUp, *qemus: QemuPeer) -> LineUp:
    return line_up.model_copy(update={"qemus": qemus})


def between_qemus(pairings: list[Pairing]) -> list[Pairing]:
    names = {qemu.name for qemu in QEMUS}
    return [pairing for pairing in pairings if {pairing.sender, pairing.receiver} <= names and pairing.fault is None]


def modes(sender: QemuPeer) -> tuple[str, ...]:
    return ("", "-legacy") if sender.facts.version >= (9, 0) else ("",)


# What is planned


def test_every_pair_of_binaries_methods_and_zero_page_modes_is_planned_once(pairings: list[Pairing]) -> None:
    planned = Counter(
        (p.sender, p.receiver, p.sender_framing, p.receiver_framing, p.scenario)
        for p in between_qemus(pairings)
        if p.scenario.removesuffix("-legacy") == "migrate"
    )

    assert planned == Counter(
        (sender.name, receiver.name, sent, read, "migrate" + mode)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for sent, read in itertools.product(sender.facts.methods, receiver.facts.methods)
        for mode in modes(sender)
    )


@pytest.mark.parametrize("scenario", ["fewer-channels", "more-channels"])
def test_unequal_channels_are_planned_for_every_method_that_fits_and_one_pair_that_does_not(
    scenario: str, pairings: list[Pairing]
) -> None:
    planned = Counter((p.sender, p.receiver, p.framing) for p in between_qemus(pairings) if p.scenario == scenario)

    assert planned == Counter(
        (sender.name, receiver.name, methods)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for methods in ("none>zlib", *(m for m in sender.facts.methods if m in receiver.facts.methods))
    )


def test_both_ends_are_told_the_numbers_of_channels_of_the_scenario(pairings: list[Pairing]) -> None:
    told = {
        (p.scenario.removesuffix("-legacy"), p.channels, p.receiver_channels or p.channels)
        for p in between_qemus(pairings)
        if p.scenario.removesuffix("-legacy") in CHANNELS
    }

    assert told == {(scenario, *numbers) for scenario, numbers in CHANNELS.items()}


@pytest.mark.parametrize("scenario", ["return-path", "running", "tcp"])
def test_every_pair_of_binaries_migrates_every_method_of_both(scenario: str, pairings: list[Pairing]) -> None:
    planned = Counter((p.sender, p.receiver, p.framing) for p in between_qemus(pairings) if p.scenario == scenario)

    assert planned == Counter(
        (sender.name, receiver.name, method)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for method in sender.facts.methods
        if method in receiver.facts.methods
    )


@pytest.mark.parametrize("scenario", ["q35", "running-kvm"])
def test_every_pair_of_binaries_has_one_cell(scenario: str, pairings: list[Pairing]) -> None:
    planned = [(p.sender, p.receiver) for p in pairings if p.scenario == scenario]

    assert Counter(planned) == Counter((s.name, r.name) for s, r in itertools.product(QEMUS, QEMUS))


@pytest.mark.parametrize("scenario", ["busy-destination", "busy-return-path"])
def test_every_destination_is_busy_once_for_a_method_that_fits_and_once_for_one_that_does_not(
    scenario: str, pairings: list[Pairing]
) -> None:
    planned = Counter((p.sender, p.receiver, p.framing) for p in pairings if p.scenario == scenario)

    assert planned == Counter(
        (sender.name, receiver.name, methods)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for methods in ("zlib", "zlib>zstd")
    )


@pytest.mark.parametrize("scenario", ["migrate", "splice"])
def test_every_decoder_of_ours_that_can_read_a_method_reads_it(
    scenario: str, pairings: list[Pairing], line_up: LineUp
) -> None:
    space = Space(line_up)
    reads = {
        (receiver.name, name)
        for name, sender, receiver in itertools.product(FRAMINGS, space.senders, space.receivers)
        if sender.name in ("zlib", "zstd", "none") and space.fits(name, sender, receiver, 4096)
    }

    planned = {
        (p.sender, p.receiver, p.sender_framing)
        for p in pairings
        if p.scenario == scenario and p.channels == 2 and line_up.qemu(p.receiver) is None
    }

    assert planned >= {
        (qemu.name, name, method)
        for qemu in (OLD, MIDDLE, NEW)
        for (name, method) in reads
        if method in qemu.facts.methods
    }
    assert all(line_up.peer(receiver).decoder is not None for _, receiver, _ in planned)


@pytest.mark.parametrize("channels", [1, 2, 3, 16])
def test_our_receiver_takes_these_channels_of_every_method(channels: int, pairings: list[Pairing]) -> None:
    planned = {
        (p.sender, p.sender_framing)
        for p in pairings
        if p.scenario == "migrate" and p.channels == channels and p not in between_qemus(pairings)
    }

    assert planned == {(qemu.name, method) for qemu in QEMUS for method in qemu.facts.methods}


def test_our_encoders_stand_before_every_method_in_every_framing_under_its_flag(
    pairings: list[Pairing], line_up: LineUp
) -> None:
    planned = {
        (p.receiver, p.sender_framing)
        for p in pairings
        if p.scenario == "splice" and line_up.qemu(p.receiver) is not None and p.sender_dialect == p.receiver_dialect
    }

    assert planned == {
        (qemu.name, name)
        for qemu in QEMUS
        for name, framing in FRAMINGS.items()
        if framing.travels_as in qemu.facts.methods and name != "qatzip-stub"
    }


def test_an_encoder_stands_before_a_real_qemu_in_the_framings_that_it_can_emit_and_no_other(
    pairings: list[Pairing], line_up: LineUp
) -> None:
    planned = Counter(
        (p.sender, p.receiver, p.sender_framing)
        for p in pairings
        if p.scenario == "splice" and line_up.qemu(p.receiver) is not None and p.sender_dialect == p.receiver_dialect
    )

    assert planned == Counter(
        (peer.name, qemu.name, name)
        for peer, qemu, (name, framing) in itertools.product(line_up.senders(), QEMUS, FRAMINGS.items())
        if framing.travels_as in qemu.facts.methods and name != "qatzip-stub"
        if cannot_send(peer.encoder, framing, 4096) is None
    )


def test_every_fault_is_played_to_every_binary(pairings: list[Pairing]) -> None:
    planned = Counter((p.sender, p.receiver, p.framing, p.fault) for p in pairings if p.fault is not None)

    faults = {(method, str(fault)) for _, _, method, fault in planned}
    newer = {(method, fault) for method, fault in faults if written(fault).place.round == 2 or method == "none"}
    assert planned == Counter(
        (qemu.name, qemu.name, *fault) for qemu in QEMUS for fault in (faults - newer if qemu is OLD else faults)
    )
    assert {type(written(fault).deed) for _, fault in faults} == set(get_args(Deed)) - {Lengths}


def test_every_kind_of_method_is_given_faults(pairings: list[Pairing]) -> None:
    assert {p.framing for p in pairings if p.fault is not None} == {"none", "zlib", "zstd"}


def test_every_scenario_of_a_real_qemu_is_planned(pairings: list[Pairing]) -> None:
    planned = {pairing.scenario for pairing in pairings}

    assert planned == {name for name, way in SCENARIOS.items() if way.mode in OF_QEMU}


def test_what_follows_a_cancelled_migration_is_planned_for_every_pair_and_method(pairings: list[Pairing]) -> None:
    planned = Counter((p.sender, p.receiver, p.framing) for p in pairings if p.scenario == "cancel-active")

    assert planned == Counter(
        (sender.name, receiver.name, method)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for method in sender.facts.methods
        if method in receiver.facts.methods
    )


def test_a_process_that_migrates_many_times_is_every_binary_to_itself(pairings: list[Pairing]) -> None:
    planned = {(p.sender, p.receiver) for p in pairings if p.scenario == "many-cancelled"}

    assert planned == {(qemu.name, qemu.name) for qemu in QEMUS}


def test_in_a_life_every_step_is_predicted_to_end_well(cells: list[PlannedCell]) -> None:
    lives = [cell for cell in cells if cell.pairing.plan.mode == "lifetime"]

    assert {cell.prediction.outcome for cell in lives} == {"identical"}
    assert all(cell.prediction.reason.startswith("every step ends as it was asked to") for cell in lives)


# What is not


def test_a_binary_is_asked_for_a_method_that_it_does_not_offer_to_hear_it_refuse(
    pairings: list[Pairing], line_up: LineUp
) -> None:
    for p in pairings:
        if p.scenario.startswith("lacking"):
            continue
        for name, asked in ((p.sender, p.sender_framing), (p.receiver, p.receiver_framing)):
            qemu = line_up.qemu(name)
            assert qemu is None or asked in qemu.facts.methods, p.place


def test_a_binary_that_knows_one_way_for_zero_pages_is_not_asked_for_another(pairings: list[Pairing]) -> None:
    asked = {pairing.sender for pairing in pairings if pairing.scenario.endswith("-legacy")}

    assert asked == {MIDDLE.name, NEW.name, LAB.name}


def test_a_binary_alone_runs_no_older_machine_type_than_its_own(line_up: LineUp) -> None:
    assert "old-machine" not in {cell.pairing.scenario for cell in qemu_plan(only(line_up, NEW))}


def test_binaries_without_a_common_machine_type_run_no_older_one(line_up: LineUp) -> None:
    assert "old-machine" not in {cell.pairing.scenario for cell in qemu_plan(only(line_up, ANCIENT, NEW))}


def test_qemus_of_different_architectures_have_no_cells_with_each_other(line_up: LineUp) -> None:
    machines = {"machines": ("virt-11.1",), "others": {}, "target": "aarch64"}
    arm = NEW.model_copy(update={"name": "qemu-arm", "facts": NEW.facts.model_copy(update=machines)})

    planned = [cell.pairing for cell in qemu_plan(only(line_up, NEW, arm))]

    assert not [p.place for p in planned if {p.sender, p.receiver} == {NEW.name, arm.name}]
    assert {p.scenario for p in planned if p.sender == arm.name} >= {"migrate", "dirty-rounds", "splice"}
    assert {p.scenario for p in planned if p.sender == arm.name}.isdisjoint({"q35", "running", "running-kvm"})


def test_no_qemu_no_cell(line_up: LineUp) -> None:
    assert list(qemu_plan(only(line_up))) == []


def test_a_pairing_without_a_common_machine_type_is_skipped(line_up: LineUp) -> None:
    skips = {(cell.pairing.sender, cell.pairing.receiver): cell.skip for cell in qemu_plan(only(line_up, ANCIENT, NEW))}

    apart = "share no machine type; remedy: --qemu with versions less far apart"
    assert {pair: skip for pair, skip in skips.items() if skip is not None} == {
        ("qemu-5.0.0", "qemu-11.1.3"): f"qemu-5.0.0 and qemu-11.1.3 {apart}",
        ("qemu-11.1.3", "qemu-5.0.0"): f"qemu-11.1.3 and qemu-5.0.0 {apart}",
    }


def test_cells_of_a_qemu_that_failed_its_probe_are_skipped(line_up: LineUp) -> None:
    bad = NEW.model_copy(update={"probe": "it lost a page"})

    cells = list(qemu_plan(only(line_up, OLD, bad)))

    assert {cell.skip for cell in cells if NEW.name in (cell.pairing.sender, cell.pairing.receiver)} == {
        "qemu-11.1.3 failed its probe (it lost a page); remedy: mend it or take it out of the run"
    }
    assert {cell.skip for cell in cells if NEW.name not in (cell.pairing.sender, cell.pairing.receiver)} == {None}


# Names


def test_every_cell_is_in_the_whole_plan(cells: list[PlannedCell], line_up: LineUp) -> None:
    whole = plan(line_up, {}).cells.values()

    assert [cell.id for cell in whole if cell.suite == "qemu"] == [cell.id for cell in cells]


def test_an_id_says_what_each_side_was_told(cells: list[PlannedCell]) -> None:
    told = (NEW.name, OLD.name, "fewer-channels-legacy")
    cell = next(c for c in cells if (c.pairing.sender, c.pairing.receiver, c.pairing.scenario) == told)

    assert cell.id == "qemu/none/qemu-11.1.3~qemu-7.2.22/qemu-10.0~qemu-5.0/fewer-channels-legacy/mixed/4k/2~3ch"


def test_cells_with_a_qemu_share_no_captures_and_run_anywhere(cells: list[PlannedCell]) -> None:
    groups = [cell.group for cell in cells if cell.pairing.plan.mode in ("qemu", "splice")]

    assert len(set(groups)) == len(groups)


# Machine types


@pytest.mark.parametrize(
    ("sender", "receiver", "scenario", "machine"),
    [
        (NEW, NEW, "migrate", "pc-i440fx-11.1"),
        (NEW, MIDDLE, "migrate", "pc-i440fx-10.0"),
        (NEW, MIDDLE, "q35", "pc-q35-10.0"),
        (MIDDLE, OLD, "migrate", "pc-i440fx-7.2"),
    ],
)
def test_both_ends_run_the_newest_machine_type_that_they_share(
    sender: QemuPeer, receiver: QemuPeer, scenario: str, machine: str, pairings: list[Pairing], line_up: LineUp
) -> None:
    pairing = next(p for p in pairings if (p.sender, p.receiver, p.scenario) == (sender.name, receiver.name, scenario))

    assert machine_of(line_up, pairing) == machine


def test_an_old_machine_is_the_newest_that_all_binaries_share(pairings: list[Pairing], line_up: LineUp) -> None:
    planned = [pairing for pairing in pairings if pairing.scenario == "old-machine"]

    assert {pairing.sender for pairing in planned} == {MIDDLE.name, NEW.name, LAB.name}
    assert {machine_of(line_up, pairing) for pairing in planned} == {"pc-i440fx-7.2"}


# What is predicted


def predicted(cells: list[PlannedCell], start: str) -> tuple[str, str, str | None]:
    """Outcome, rule and error of the only cell whose id starts like this."""
    (cell,) = (cell for cell in cells if cell.id.startswith(f"qemu/{start}"))
    return cell.prediction.outcome, cell.prediction.rule, cell.prediction.error


@pytest.mark.parametrize(
    ("start", "outcome", "rule"),
    [
        ("zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/", "identical", "all-hold"),
        ("zlib/qemu-7.2.22~qemu-11.1.3/qemu-5.0~qemu-10.0/migrate/", "identical", "all-hold"),
        ("qatzip/qemu-lab~qemu-lab/qemu-10.0/migrate/", "identical", "all-hold"),
        ("zlib~zstd/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/", "rejected", "flags"),
        ("zlib~none/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate/", "rejected", "flags"),
        ("zlib/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate/", "hazard", "zero-pages"),
        ("zlib/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate-legacy/", "identical", "all-hold"),
        ("zlib/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/return-path/", "hazard", "zero-pages"),
        ("qatzip~none/qemu-lab~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate/", "hazard", "hidden-flag"),
        ("qatzip~none/qemu-lab~qemu-10.0.13/qemu-10.0/migrate/", "rejected", "flags"),
        ("zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/fewer-channels/", "rejected", "channels"),
        ("zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/more-channels/", "rejected", "channels"),
        ("zlib/qemu-10.0.13~qemu-7.2.22/qemu-10.0~qemu-5.0/more-channels/", "rejected", "channels"),
        ("zlib/qemu-10.0.13~qemu-10.0.13/qemu-10.0/busy-destination/", "identical", "all-hold"),
        ("zlib~zstd/qemu-10.0.13~qemu-10.0.13/qemu-10.0/busy-destination/", "hazard", "flags"),
        ("zlib~zstd/qemu-10.0.13~qemu-10.0.13/qemu-10.0/busy-return-path/", "rejected", "flags"),
        ("zlib-packet[window=15]~zlib/zlib~qemu-10.0.13/qemu-10.0/splice/", "rejected", "stream-ends"),
        ("zlib-sync-page[window=15]~zlib/zlib~qemu-10.0.13/qemu-10.0/splice/", "identical", "all-hold"),
    ],
)
def test_what_is_predicted(start: str, outcome: str, rule: str, cells: list[PlannedCell]) -> None:
    assert predicted(cells, start)[:2] == (outcome, rule)


@pytest.mark.parametrize("method", ["uadk", "qatzip"])
def test_an_old_mask_hides_the_flags_of_newer_methods_that_our_encoders_send(
    method: str, cells: list[PlannedCell]
) -> None:
    planned = [c for c in cells if c.pairing.scenario == "splice" and c.pairing.framing == f"{method}>none"]

    assert {(c.pairing.receiver, c.pairing.sender_dialect) for c in planned} == {(OLD.name, "qemu-10.0")}
    assert {(c.prediction.rule, c.prediction.outcome) for c in planned} == {("hidden-flag", "hazard")}


def test_a_new_receiver_names_the_flags(cells: list[PlannedCell]) -> None:
    _, _, error = predicted(cells, "zlib~zstd/qemu-10.0.13~qemu-10.0.13/qemu-10.0/migrate/")

    assert error == r"multifd \d+: flags received 2 flags expected 4"


def test_an_old_receiver_does_not_say_why(cells: list[PlannedCell]) -> None:
    _, _, error = predicted(cells, "zlib~zstd/qemu-7.2.22~qemu-7.2.22/qemu-5.0/migrate/")

    assert error == "load of migration failed: (Invalid argument|Input/output error)|Not a migration stream"


# What is set, and what is not


def test_every_pair_migrates_every_method_of_both_at_defaults(pairings: list[Pairing]) -> None:
    planned = Counter((p.sender, p.receiver, p.framing) for p in pairings if p.scenario == "defaults")

    assert planned == Counter(
        (sender.name, receiver.name, method)
        for sender, receiver in itertools.product(QEMUS, QEMUS)
        for method in sender.facts.methods
        if method in receiver.facts.methods
    )


def test_what_arrives_at_defaults_follows_from_what_the_machine_type_says(line_up: LineUp) -> None:
    def outcomes(mode: str) -> set[str]:
        told = {machine: each.model_copy(update={"zero_pages": mode}) for machine, each in NEW.defaults.items()}
        sender = NEW.model_copy(update={"defaults": told})
        cells = qemu_plan(only(line_up, OLD, sender))
        ends = (sender.name, OLD.name, "defaults")
        return {
            c.prediction.outcome for c in cells if (c.pairing.sender, c.pairing.receiver, c.pairing.scenario) == ends
        }

    assert (outcomes("legacy"), outcomes("none"), outcomes("multifd")) == ({"identical"}, {"identical"}, {"hazard"})


def test_a_hazard_names_the_setting_and_the_default_of_the_machine_type(cells: list[PlannedCell]) -> None:
    (cell,) = (c for c in cells if c.id.startswith("qemu/zlib/qemu-11.1.3~qemu-7.2.22/qemu-10.0~qemu-5.0/migrate/"))

    needed = "zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy"
    assert [str(setting) for setting in cell.prediction.setting] == [needed]
    assert cell.prediction.reason.startswith(f"with {needed}: ")


def test_every_binary_sends_every_level_and_every_number_of_channels_once(pairings: list[Pairing]) -> None:
    levels = Counter((p.sender, p.scenario) for p in pairings if "-level-" in p.scenario)
    channels = Counter((p.sender, p.channels) for p in pairings if p.scenario == "channels" and p.channels < 255)

    assert levels == Counter(
        (qemu.name, f"{method}-level-{level}")
        for qemu in QEMUS
        for method in qemu.facts.methods
        for level in LEVELS.get(method, ())
    )
    assert channels == Counter((qemu.name, number) for qemu in QEMUS for number in (1, 3, 16))


def test_255_channels_go_between_every_pair_and_to_our_receiver(pairings: list[Pairing]) -> None:
    most = {(p.sender, p.receiver) for p in pairings if p.channels == 255}

    names = [qemu.name for qemu in QEMUS]
    assert most == {*itertools.product(names, names), *((name, "zlib") for name in names)}


def test_capabilities_are_on_where_both_binaries_know_them_and_let_them_be_on_together(
    pairings: list[Pairing],
) -> None:
    on = {(p.sender, p.receiver) for p in pairings if p.scenario == "postcopy-preempt"}
    acknowledged = {p.sender for p in pairings if p.scenario == "switchover-ack"}

    assert on == set(itertools.product((OLD.name, NEW.name), (OLD.name, NEW.name)))
    assert acknowledged == {MIDDLE.name, NEW.name}


def test_a_host_that_refuses_postcopy_skips_with_a_remedy(line_up: LineUp) -> None:
    told = {name: each.model_copy(update={"no_postcopy": "no userfaultfd"}) for name, each in NEW.defaults.items()}
    cells = qemu_plan(only(line_up, NEW.model_copy(update={"defaults": told})))

    (skip,) = {c.skip for c in cells if c.pairing.scenario == "postcopy-ram"}
    assert skip is not None
    assert skip.startswith("qemu-11.1.3 refuses postcopy-ram: no userfaultfd; remedy: run as root")
