"""Preflight: what would come of a migration between two QEMUs as they are set, and what to change."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from multifd.advice.monitor import Running, ask_both, ask_one
from multifd.advice.preflight import Preflight, preflight
from multifd.advice.releases import release
from multifd.errors import EnvironmentBroke, InputError
from multifd.result.record import Results
from tests.advice.guests import pair
from tests.qemu.host import QEMU, needs_qemu
from tests.qemu.host import facts as of_binary
from tests.qemu.recorded import facts

ON = ("multifd", "return-path")


def running(version: str, *on: str, machine: str = "pc-i440fx-7.2", waits: bool = False, **parameters: Any) -> Running:
    """A QEMU as recorded, with these capabilities on; parameters are as its machine type has them."""
    said = facts(version)
    zero_pages = {"zero-page-detection": "legacy"} if said.zero_pages else {}
    told = {name.replace("_", "-"): value for name, value in parameters.items()}
    usual = {"multifd-compression": "none", "multifd-channels": 2, **zero_pages}
    return Running(f"{version}.sock", said, machine, frozenset(on), {**usual, **told}, waits)


def found(sender: Running, receiver: Running) -> Preflight:
    return preflight(sender, receiver)


def test_ends_that_agree_are_safe_and_nothing_is_to_be_changed() -> None:
    one = running("11.1", *ON, multifd_compression="zstd")
    other = running("7.2", *ON, multifd_compression="zstd", waits=True)

    answer = found(one, other)

    assert (answer.verdict, answer.why, answer.notes) == ("safe", "memory arrives", ())
    assert (answer.change_sender, answer.change_receiver) == ((), ())


def test_zero_pages_in_packets_to_7_2_are_a_hazard_and_one_parameter_is_to_be_changed() -> None:
    one = running("11.1", *ON, multifd_compression="zstd", zero_page_detection="multifd")
    other = running("7.2", *ON, multifd_compression="zstd", waits=True)

    answer = found(one, other)

    assert (answer.verdict, answer.issues) == ("hazard", ("qemu-zero-pages-ignored",))
    assert [str(each) for each in answer.setting] == [
        "zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy"
    ]
    [command] = answer.change_sender
    assert json.loads(command)["arguments"] == {"zero-page-detection": "legacy"}
    assert answer.change_receiver == ()


def test_a_hidden_flag_is_a_hazard_and_the_method_of_both_becomes_one_that_both_have() -> None:
    lab = running("10.0", *ON, multifd_compression="qatzip")
    lab = replace(lab, facts=lab.facts.model_copy(update={"methods": (*lab.facts.methods, "qatzip")}))

    answer = found(lab, running("7.2", *ON, waits=True))

    assert (answer.verdict, answer.issues) == ("hazard", ("qemu-mask-hides-flag",))
    assert [json.loads(each)["arguments"] for each in answer.change_sender] == [{"multifd-compression": "none"}]


@pytest.mark.parametrize(
    ("sender", "receiver", "words"),
    [
        ({"multifd_compression": "zlib"}, {"multifd_compression": "zstd"}, "flags received 2 flags expected 4"),
        ({"multifd_channels": 4}, {}, "received channel id"),
        ({"tls_creds": "tls0"}, {}, "received packet magic 16030101"),
    ],
    ids=["methods", "channels", "TLS"],
)
def test_what_does_not_fit_is_refused_in_these_words(
    sender: dict[str, Any], receiver: dict[str, Any], words: str
) -> None:
    answer = found(running("10.0", *ON, **sender), running("10.0", *ON, waits=True, **receiver))

    assert (answer.verdict, answer.issues) == ("refused", ())
    assert answer.words is not None
    assert words in answer.words


def test_a_refusal_without_return_path_is_a_hazard_for_the_source_may_not_hear_of_it() -> None:
    one = running("10.0", "multifd", multifd_compression="zlib")
    other = running("10.0", "multifd", multifd_compression="zstd", waits=True)

    answer = found(one, other)

    assert answer.verdict == "hazard"
    assert "the guest is on neither side" in answer.why
    assert str(answer.setting[-1]) == "return-path=off; the default of pc-i440fx-7.2 is off"


def test_after_the_changes_it_is_safe() -> None:
    one = running("10.0", "multifd", multifd_compression="zlib", multifd_channels=4)
    other = running("10.0", "multifd", "return-path", multifd_compression="zstd", waits=True)

    answer = found(one, other)
    after = found(told(one, answer.change_sender), told(other, answer.change_receiver))

    assert answer.verdict != "safe"
    assert (after.verdict, after.notes) == ("safe", ())
    assert (after.sender.method, after.sender.channels) == ("zlib", 2)


def told(running: Running, commands: tuple[str, ...]) -> Running:
    """The same after these commands."""
    on, parameters = set(running.on), dict(running.parameters)
    for command in map(json.loads, commands):
        if command["execute"] == "migrate-set-parameters":
            parameters |= command["arguments"]
        else:
            states = {each["capability"]: each["state"] for each in command["arguments"]["capabilities"]}
            on = {name for name in on | set(states) if states.get(name, True)}
    return Running(running.socket, running.facts, running.machine, frozenset(on), parameters, running.waits)


def test_a_capability_that_hangs_beside_multifd_is_a_hazard_and_turned_off() -> None:
    postcopy = (*ON, "postcopy-ram", "postcopy-preempt")

    answer = found(running("11.1", *postcopy), running("11.1", *postcopy, waits=True))

    assert (answer.verdict, answer.issues) == ("hazard", ("qemu-preempt-channel-taken-for-multifd",))
    [command] = answer.change_sender
    assert json.loads(command)["arguments"]["capabilities"] == [{"capability": "postcopy-preempt", "state": False}]


def of_release(version: str, machine: str, *on: str, **parameters: Any) -> Running:
    """A QEMU of which only the release is known."""
    said = running("10.0", *ON, *on, machine=machine, waits=True, **parameters)
    return replace(said, facts=release(version))


def test_a_defect_of_a_release_is_a_hazard_that_legacy_zero_pages_avoid() -> None:
    told = {"multifd_compression": "zstd", "zero_page_detection": "multifd"}

    answer = found(of_release("9.1", "pc-i440fx-9.1", **told), of_release("9.2.1", "pc-i440fx-9.1", **told))

    assert (answer.verdict, "cdc3970f85" in answer.why) == ("hazard", True)
    assert [json.loads(each)["arguments"] for each in answer.change_sender] == [{"zero-page-detection": "legacy"}]


def test_a_capability_hangs_only_machine_types_of_which_that_is_known() -> None:
    on = (*ON, "postcopy-ram", "postcopy-preempt")
    ends = (running("11.1", *on, machine="pc-i440fx-11.1", waits=waits) for waits in (False, True))

    answer = found(*ends)

    assert (answer.verdict, answer.issues) == ("safe", ())


def test_a_capability_hangs_only_releases_of_which_that_is_known() -> None:
    ends = [of_release("5.2", "pc-i440fx-5.2", "postcopy-ram", "postcopy-preempt") for _ in range(2)]

    assert found(*ends).verdict == "safe"


@pytest.mark.parametrize("machine", ["microvm", "pc-i440fx-4.2", "pc-q35-9.2"])
def test_any_machine_type_can_be_asked_of(machine: str) -> None:
    on = (*ON, "postcopy-ram", "switchover-ack")
    ends = running("11.1", *on, machine=machine), running("11.1", *on, machine=machine, waits=True)

    assert found(*ends).verdict == "safe"


def test_a_hang_on_an_old_machine_type_is_one_on_an_older_one_too() -> None:
    on = (*ON, "postcopy-ram", "postcopy-preempt")
    ends = (running("11.1", *on, machine="pc-i440fx-4.2", waits=waits) for waits in (False, True))

    assert found(*ends).verdict == "hazard"


def test_other_machine_types_are_refused_and_no_setting_helps() -> None:
    other = running("11.1", *ON, waits=True, multifd_compression="zlib")

    answer = found(running("10.0", *ON, machine="pc-i440fx-10.0"), other)

    assert (answer.verdict, answer.change_sender, answer.change_receiver) == ("refused", (), ())
    assert answer.why == "the source runs pc-i440fx-10.0, the destination pc-i440fx-7.2, and no guest changes that"


@pytest.mark.parametrize("on", [((), ()), (("multifd",), ()), ((), ("multifd",))])
def test_without_multifd_at_both_ends_nothing_is_known_and_it_is_turned_on(on: tuple[tuple[str, ...], ...]) -> None:
    one, other = running("10.0", *on[0]), running("10.0", *on[1], waits=True)

    answer = found(one, other)

    assert answer.verdict == "unknown"
    assert found(told(one, answer.change_sender), told(other, answer.change_receiver)).verdict == "safe"


def test_a_destination_that_waits_for_nobody_is_noted() -> None:
    assert "does not wait for a migration" in found(running("10.0", *ON), running("10.0", *ON)).notes[0]


def test_a_method_that_nobody_here_knows_is_not_called_safe() -> None:
    new = running("11.1", *ON, multifd_compression="brotli")

    assert found(new, running("11.1", *ON, multifd_compression="brotli", waits=True)).verdict == "unknown"


# Of a run


def zstd(version: str, **more: Any) -> Running:
    return running(version, *ON, multifd_compression="zstd", **more)


def test_where_a_run_has_cells_of_both_releases_it_says_so_too(run: Results) -> None:
    answer = preflight(zstd("11.1"), zstd("7.2", waits=True), run)

    assert (answer.verdict, answer.rests_on) == ("safe", "run")
    assert set(answer.cells) <= {cell.id for cell in run.cells if "/qemu-11.1.3~qemu-7.2.22/" in cell.id}
    assert answer.cells


def test_what_a_run_saw_go_wrong_is_not_safe_whatever_the_oracle_says(run: Results) -> None:
    wrong = {"verdict": "fail", "kind": "corrupt", "error": "pages differ"}
    cells = [
        cell.model_copy(update=wrong) if cell.id.startswith("qemu/zstd/qemu-11.1.3~qemu-7.2.22/") else cell
        for cell in run.cells
    ]

    answer = preflight(zstd("11.1"), zstd("7.2", waits=True), run.model_copy(update={"cells": tuple(cells)}))

    assert (answer.verdict, answer.rests_on) == ("hazard", "run")
    assert "pages differ" in answer.why


def test_what_the_oracle_refuses_no_run_makes_safe(run: Results) -> None:
    other = running("7.2", *ON, waits=True)

    assert preflight(zstd("11.1"), other, run).verdict == "refused"


def test_of_what_is_set_otherwise_than_in_the_run_it_says_nothing(run: Results) -> None:
    set_otherwise = zstd("11.1", zero_page_detection="none")

    assert preflight(set_otherwise, zstd("7.2", waits=True), run).rests_on == "oracle"


def test_a_run_without_these_releases_leaves_it_to_the_oracle(run: Results) -> None:
    nothing = run.model_copy(update={"cells": ()})

    assert preflight(zstd("11.1"), zstd("7.2", waits=True), nothing).rests_on == "oracle"


# Asked of real QEMUs


@needs_qemu
def test_two_running_qemus_are_asked_and_told_nothing(scratch: Path) -> None:
    said = of_binary(QEMU)
    one, other, before, after = asyncio.run(asked(scratch, said.machines[-1]))

    assert (one.facts.release, one.machine, one.waits) == (said.release, said.machines[-1], False)
    assert (other.machine, other.waits, other.multifd, other.terms.method) == (one.machine, True, True, "zlib")
    assert found(one, other).verdict == "safe"
    assert before == after


async def asked(directory: Path, machine: str) -> tuple[Running, Running, Any, Any]:
    async with pair(directory, machine) as both:
        await both.set(ON, multifd_compression="zlib")
        before = await both.state()
        one, other = await asyncio.to_thread(ask_both, *map(str, both.sockets))
        return one, other, before, await both.state()


def test_nobody_at_a_socket_is_the_environments_fault(scratch: Path) -> None:
    path = scratch / "gone.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))

    with pytest.raises(EnvironmentBroke, match=r"gone\.sock: is no QMP socket of a running QEMU"):
        ask_one(str(path))


GREETING = {"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 0}, "package": ""}, "capabilities": []}}


@pytest.mark.parametrize("answer", [{}, [], "", None, {"qemu": 1}, [{}], {"arch": "\x1b"}], ids=repr)
def test_who_answers_as_no_qemu_does_is_refused_and_never_believed(answer: object, scratch: Path) -> None:
    path = scratch / "liar.sock"

    async def ask() -> None:
        async with await asyncio.start_unix_server(lie, path):
            await asyncio.to_thread(ask_one, str(path))

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(GREETING).encode() + b"\n")
        while question := await reader.read(1 << 16):  # a question comes when the one before has its answer
            asked = json.loads(question)
            said = {} if asked["execute"] == "qmp_capabilities" else answer
            writer.write(json.dumps({"return": said, "id": asked.get("id")}).encode() + b"\n")
        writer.close()

    with pytest.raises(InputError, match="answers as no QEMU does"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "wrong",
    [{"multifd-channels": "2"}, {"multifd-channels": 0}, {"multifd-compression": 1}, {"zero-page-detection": "x"}],
)
def test_parameters_that_no_qemu_has_are_not_taken(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _ = running("10.0", **wrong).terms
