"""How many processes hold a device: as many as it has room for, and the rest of a run waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from multifd.device.found import Device
from multifd.errors import EnvironmentBroke
from multifd.lineup.holding import capacity, limited, remedy, too_few
from multifd.lineup.peers import LineUp, LineUpPeer, QemuPeer
from multifd.memory.scratch import make_scratch, remove_scratch
from multifd.peer.nursery import PROGRAM
from multifd.process.python import ENVIRONMENT
from multifd.profile.model import Deadlines
from multifd.qemu.binary import Binary
from multifd.qemu.facts import Facts
from multifd.result.record import Provenance, Role
from multifd.run.means import Means
from multifd.run.stage import Stage


def device(processes: int | None, stack: str = "vfio", pci: str = "0000:6b:00.0") -> Device:
    return Device("qat", "4xxx", pci, "4xxx", {"stack": stack}, (), (), processes=processes)


def peer(name: str, roles: Sequence[Role] = ("sender", "receiver"), provenance: Provenance = "hardware") -> LineUpPeer:
    return LineUpPeer(
        name=name, command=("sleep", "60"), environment={}, external=False, roles=tuple(roles), codec="qatzip",
        device="QAT", provenance=provenance, version="1", encoder=None, decoder=None, probe=None,
    )  # fmt: skip


PEERS = (peer("qatzip"), peer("qatzip[stream=1]"), peer("qatzip[level=9]", ["sender"]))


def line_up(*devices: Device, peers: Sequence[LineUpPeer] = PEERS, **more: Any) -> LineUp:
    return LineUp(profile="lab", peers=tuple(peers), deadlines=Deadlines(), devices=devices, **more)


@pytest.mark.parametrize(
    ("processes", "expected"), [([16], 16), ([16, 8], 16), ([16, None], None), ([], None), ([None], None)]
)
def test_a_process_may_hold_one_of_each(processes: list[int | None], expected: int | None) -> None:
    assert capacity([device(each) for each in processes]) == expected


@pytest.mark.parametrize("processes", [2, 16, None])
def test_room_for_a_cell_is_enough(processes: int | None) -> None:
    assert too_few([device(processes)]) == ""


@pytest.mark.parametrize(("processes", "words"), [(0, "0 processes"), (1, "1 process")])
def test_less_than_a_cell_is_too_little(processes: int, words: str) -> None:
    assert too_few([device(processes)]) == f"{words} at a time can hold 4xxx 0000:6b:00.0"


@pytest.mark.parametrize(("stack", "setting"), [("adf", "NumProcesses"), ("vfio", "sriov_numvfs")])
def test_what_gives_it_more_room_depends_on_its_driver(stack: str, setting: str) -> None:
    assert setting in remedy([device(1, stack)])


@pytest.mark.parametrize("processes", [5, None])
def test_a_run_that_fits_is_not_limited(processes: int | None) -> None:
    taken = limited(line_up(device(processes)))

    assert (taken.holders, taken.remarks) == ({}, ())


def test_a_run_that_does_not_fit_is_limited_to_what_fits() -> None:
    taken = limited(line_up(device(4)))

    assert taken.holders == {"QAT": 4}
    assert taken.remarks == (
        "QAT: 4 processes at a time can hold 4xxx 0000:6b:00.0, this run has 5: it ends those that it does not need,"
        " and starts them again",
    )


def test_software_holds_nothing() -> None:
    software = peer("qatzip[level=8]", provenance="vendor-software")

    assert limited(line_up(device(5), peers=(*PEERS, software))).holders == {}


QEMU = QemuPeer(
    name="qemu-10.0", binary=Binary(command=("qemu",)), machines={},
    facts=Facts(version=(10, 0, 0), package="", methods=("none", "qatzip"), zero_pages=(), machines=()),
)  # fmt: skip


def talker(name: str) -> LineUpPeer:
    return peer(name).model_copy(update={"command": (*PROGRAM, "zlib"), "environment": dict(ENVIRONMENT)})


@pytest.fixture
def stage() -> Iterator[Stage]:
    scratch = make_scratch(1 << 20)
    yield Stage(scratch, "main", 1, None)
    remove_scratch(scratch)


def held(means: Means) -> list[tuple[str, Role]]:
    return list(means.processes)


def test_whoever_was_idle_for_longest_makes_room(stage: Stage) -> None:
    means = Means(line_up(device(2), holders={"QAT": 2}), stage)
    first = means.process("qatzip", "sender")
    means.process("qatzip[stream=1]", "receiver")

    assert means.process("qatzip", "sender") is first
    means.process("qatzip[level=9]", "sender")

    assert held(means) == [("qatzip", "sender"), ("qatzip[level=9]", "sender")]


def test_who_makes_room_has_ended(stage: Stage) -> None:
    talking = line_up(peers=[talker("qatzip"), talker("qatzip[level=9]")], holders={"QAT": 1})
    means = Means(talking, stage)
    first = means.process("qatzip", "sender")
    first.hello(20)
    assert first.pid is not None

    means.process("qatzip[level=9]", "sender")

    assert first.pid is None


def test_who_holds_no_device_makes_no_room_and_needs_none(stage: Stage) -> None:
    software = peer("qatzip[level=8]", provenance="vendor-software")
    means = Means(line_up(peers=[*PEERS, software], holders={"QAT": 2}), stage)
    means.process("qatzip", "sender")
    means.process("qatzip", "receiver")

    means.process("qatzip[level=8]", "sender")
    assert held(means) == [("qatzip", "sender"), ("qatzip", "receiver"), ("qatzip[level=8]", "sender")]

    means.process("qatzip[stream=1]", "sender")
    assert held(means) == [("qatzip", "receiver"), ("qatzip[level=8]", "sender"), ("qatzip[stream=1]", "sender")]


def test_two_qemus_on_the_device_are_of_those_that_hold_it() -> None:
    taken = limited(line_up(device(5), qemus=(QEMU,)))

    assert taken.holders == {"QAT": 3}
    assert "this run has 7" in taken.remarks[0]


def test_a_device_without_room_for_a_cell_with_qemus_is_told_of() -> None:
    taken = limited(line_up(device(3), qemus=(QEMU,)))

    assert taken.remarks == (
        "QAT: 3 processes at a time can hold 4xxx 0000:6b:00.0; two QEMUs and a sender and a receiver of ours are 4;"
        " give it more virtual functions (sriov_numvfs), let a process take fewer of them (POLICY=1 in"
        " /etc/sysconfig/qat, where a restart of qat is felt by all who use it; QAT_POLICY=1 in the environment where"
        " no qatmgr runs), or end the processes that hold them",
    )


def test_a_device_without_room_for_a_cell_with_qemus_cannot_be_required() -> None:
    with pytest.raises(EnvironmentBroke, match="two QEMUs and a sender and a receiver of ours are 4"):
        limited(line_up(device(3), qemus=(QEMU,), required=("qat",)))
