"""A guest that stands still: it answers while it lives, says why if it does not, and never outlives who started it."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from qemu.qmp import ExecuteError

from multifd.errors import EnvironmentBroke
from multifd.process.threads import asleep
from multifd.qemu import guest as guest_module
from multifd.qemu.binary import Binary
from multifd.qemu.guest import DiedError, GoneError, Guest, Machine, qtest, start
from tests.cli.command import ROOT
from tests.qemu.host import QEMU, needs_qemu

WITHIN: Final = 20.0
BARE: Final = ("-machine", "none")
SIZE: Final = 4 << 20
PATIENCE: Final = 20.0

Use = Callable[[Guest], Awaitable[Any]]


def shell(script: str, **environment: str) -> Binary:
    """A program that is no QEMU; QEMU's options are its arguments."""
    return Binary(command=("/bin/sh", "-c", script, "sh"), environment=environment)


def during(scratch: Path, use: Use, *arguments: str, binary: Binary = QEMU) -> Any:
    """What is done with a guest while it is up."""

    async def run() -> Any:
        async with start(binary, "source", scratch, arguments or BARE, WITHIN) as guest:
            return await use(guest)

    return asyncio.run(run())


def refusal(scratch: Path, binary: Binary, *arguments: str, within: float = WITHIN) -> str:
    """Why it does not come up."""

    async def run() -> None:
        async with start(binary, "source", scratch, arguments, within):
            pytest.fail("it is up")

    with pytest.raises(EnvironmentBroke) as error:
        asyncio.run(run())
    return str(error.value)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def members(group: int) -> list[int]:
    """Processes of a group that run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    """Look again until it holds."""
    expires = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < expires, "it did not happen"
        time.sleep(0.01)


async def pid_of(guest: Guest) -> int:
    return guest.pid


# While it is up


@needs_qemu
def test_it_answers(scratch: Path) -> None:
    async def ask(guest: Guest) -> Any:
        return await guest.execute("query-status", WITHIN)

    assert during(scratch, ask)["running"] is False


@needs_qemu
def test_what_it_refuses_is_said_in_its_words(scratch: Path) -> None:
    async def ask(guest: Guest) -> None:
        with pytest.raises(ExecuteError) as error:
            await guest.execute("migrate-set-parameters", WITHIN, multifd_compression="brotli")
        assert "brotli" in str(error.value)
        assert guest.exit_status is None

    during(scratch, ask)


@needs_qemu
@pytest.mark.parametrize("name", ["source.ram", "a,b.ram"])
def test_the_file_is_the_guests_ram(name: str, scratch: Path) -> None:
    machine = Machine("pc", scratch / name, SIZE)

    async def ask(guest: Guest) -> Any:
        return await guest.execute("query-memdev", WITHIN)

    (backend,) = during(scratch, ask, *machine.arguments())

    assert (backend["id"], backend["size"], backend["share"]) == ("m", SIZE, True)
    assert machine.memory.stat().st_size == SIZE


@needs_qemu
def test_a_guest_that_stands_sleeps(scratch: Path) -> None:
    async def look(guest: Guest) -> None:
        await asyncio.to_thread(wait_until, lambda: asleep(guest.pid))
        assert guest.cpu_seconds > 0

    during(scratch, look)


# When it is up no more


@needs_qemu
def test_its_block_ends_it(scratch: Path) -> None:
    assert not alive(during(scratch, pid_of))


@needs_qemu
def test_an_accident_in_its_block_ends_it(scratch: Path) -> None:
    pids = []

    async def stumble(guest: Guest) -> None:
        pids.append(guest.pid)
        raise KeyError("accident")

    with pytest.raises(KeyError, match="accident"):
        during(scratch, stumble)

    assert not alive(pids[0])


@needs_qemu
def test_a_guest_that_was_stopped_ends_too(scratch: Path) -> None:
    async def stop(guest: Guest) -> int:
        guest.send_signal(signal.SIGSTOP)
        return guest.pid

    assert not alive(during(scratch, stop))


@needs_qemu
def test_what_a_wrapper_started_ends_with_it(scratch: Path) -> None:
    wrapper = Binary(command=("/bin/sh", "-c", 'sleep 1000 & "$0" "$@"', *QEMU.command))

    group = during(scratch, pid_of, binary=wrapper)

    wait_until(lambda: not members(group))


PARENT: Final = """\
import asyncio, sys
from pathlib import Path
from multifd.process.threads import asleep
from multifd.qemu.binary import Binary
from multifd.qemu.guest import start

async def main():
    binary, directory = Binary(command=tuple(sys.argv[2:])), Path(sys.argv[1])
    async with start(binary, "source", directory, ("-machine", "none"), 20) as guest:
        print(guest.pid, flush=True)
        await asyncio.sleep(1000)

asyncio.run(main())
"""


@needs_qemu
def test_it_dies_with_who_started_it(scratch: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(scratch), *QEMU.command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)

        parent.kill()

    wait_until(lambda: not members(pid))


@needs_qemu
def test_a_guest_that_is_gone(scratch: Path) -> None:
    async def ask(guest: Guest) -> None:
        guest.send_signal(signal.SIGKILL)
        with pytest.raises(DiedError) as error:
            await guest.execute("query-status", WITHIN)
        assert str(error.value) == "source killed by signal 9: no message; at query-status"

    during(scratch, ask)


def test_a_guest_that_hangs_up_is_given_the_time_to_die(scratch: Path) -> None:
    pretender = Binary(command=(sys.executable, str(ROOT / "tests/qemu/pretender.py")))

    async def ask(guest: Guest) -> int | None:
        with pytest.raises(DiedError, match=r"^source killed by signal 6: yank\.c:107: .*; at migrate-set-parameters$"):
            await guest.execute("migrate-set-parameters", WITHIN)
        return guest.exit_status

    assert during(scratch, ask, binary=pretender) == -signal.SIGABRT
    assert json.loads((scratch / "source.words.json").read_text())["exit_status"] == -signal.SIGABRT


@needs_qemu
def test_a_guest_that_hangs_up_and_lives(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(guest: Guest) -> None:
        monkeypatch.setattr(guest_module, "_DYING", 0.1)
        await guest._monitor.disconnect()
        with pytest.raises(GoneError, match=r"^source closed its monitor during query-status, and lives on$") as error:
            await guest.execute("query-status", WITHIN)
        assert not isinstance(error.value, DiedError)

    during(scratch, ask)


@needs_qemu
def test_a_guest_that_answers_no_more(scratch: Path) -> None:
    async def ask(guest: Guest) -> None:
        guest.send_signal(signal.SIGSTOP)
        with pytest.raises(GoneError) as error:
            await guest.execute("query-status", 0.1)
        assert str(error.value) == "source did not answer query-status within 0.1 s"

    during(scratch, ask)


# When it does not come up


@needs_qemu
def test_a_wrong_option_is_said_in_its_words(scratch: Path) -> None:
    message = refusal(scratch, QEMU, "-no-such-option")

    assert message == (
        "source exited with status 1 before it answered: -no-such-option: invalid option; started as:"
        f" {shlex.join(QEMU.command)} -nodefaults -display none -S -qmp unix:{scratch}/source.qmp -no-such-option"
    )


def test_a_program_that_waits_for_nobody_is_given_up_at_the_deadline(scratch: Path) -> None:
    message = refusal(scratch, shell("sleep 1000"), within=0.2)

    assert message.startswith("source did not answer within 0.2 s: no message; started as: /bin/sh -c ")


def test_a_program_that_works_at_the_deadline_is_waited_for(scratch: Path) -> None:
    work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 3"

    message = refusal(scratch, shell(work), within=0.2)

    assert message.startswith("source exited with status 3 before it answered: no message; started as: /bin/sh -c ")


def test_a_program_that_works_for_ever_is_given_up(scratch: Path) -> None:
    message = refusal(scratch, shell("while true; do :; done"), within=0.2)

    assert message.startswith("source did not answer within 1 s of computing: no message; started as: /bin/sh -c ")


def test_a_program_that_wants_other_options(scratch: Path) -> None:
    message = refusal(scratch, Binary(command=("/bin/sleep", "1000")), within=3600)

    assert message.startswith("source exited with status 1 before it answered: /bin/sleep: invalid option -- 'n'; Try")


def test_a_program_that_is_not_there(scratch: Path) -> None:
    assert refusal(scratch, Binary(command=("/nowhere/qemu",))) == (
        "cannot start '/nowhere/qemu': No such file or directory"
    )


def test_a_program_gets_its_environment(scratch: Path) -> None:
    message = refusal(scratch, shell('echo "$WORD" >&2; exit 3', WORD="from the profile"))

    assert message.startswith("source exited with status 3 before it answered: from the profile; started as: ")


def test_each_message_is_shown_once_without_warnings_and_the_name_of_the_program(scratch: Path) -> None:
    lines = (
        "/opt/qemu-system-x86_64: cannot open it",
        "qemu-system-x86_64: warning: this is old",
        "and why",
        "/opt/qemu-system-x86_64: cannot open it",
        "",
    )
    script = "".join(f"echo '{line}' >&2; " for line in lines)

    message = refusal(scratch, shell(f"{script} exit 1"))

    assert message.startswith("source exited with status 1 before it answered: cannot open it; and why; started as: ")


def test_no_complaint_fills_the_disk(scratch: Path) -> None:
    message = refusal(scratch, shell("yes complaint | head -c 10000000 >&2; exit 1"))

    assert message.startswith("source exited with status 1 before it answered: ")
    assert sum(path.stat().st_size for path in scratch.iterdir()) < 1 << 14


def test_of_a_long_complaint_the_end_is_shown(scratch: Path) -> None:
    script = "i=0; while [ $i -lt 20000 ]; do echo complaint $i; i=$((i+1)); done >&2; exit 1"

    message = refusal(scratch, shell(script))

    assert "; complaint 19999; started as: " in message
    assert len(message) < 4096 + 1024


# Stores


@needs_qemu
def test_stores_reach_the_file(scratch: Path) -> None:
    machine = Machine("pc", scratch / "source.ram", SIZE)

    async def run() -> None:
        async with qtest(scratch / "qtest") as test:
            arguments = (*machine.arguments(), "-qtest", f"unix:{scratch}/qtest", "-qtest-log", "none")
            async with start(QEMU, "source", scratch, arguments, WITHIN):
                await (await test).touch([(2 << 20, 0xAB), (3 << 20, 0xCD)], WITHIN)

    asyncio.run(run())

    ram = machine.memory.read_bytes()
    assert (ram[2 << 20], ram[3 << 20], ram.count(0)) == (0xAB, 0xCD, SIZE - 2)


@needs_qemu
def test_a_store_that_nobody_does(scratch: Path) -> None:
    async def run() -> None:
        async with qtest(scratch / "qtest") as test:
            arguments = (*BARE, "-qtest", f"unix:{scratch}/qtest", "-qtest-log", "none")
            async with start(QEMU, "source", scratch, arguments, WITHIN) as guest:
                connected = await test
                guest.send_signal(signal.SIGKILL)
                with pytest.raises(GoneError) as error:
                    await connected.touch([(0, 1)], WITHIN)
        assert str(error.value) == "qtest answered b'', expected OK"

    asyncio.run(run())


@needs_qemu
@pytest.mark.parametrize(
    ("how", "said"),
    [
        (signal.SIGKILL, "source was killed by signal 9 (Killed): nobody but its host or somebody on it does so"),
        (signal.SIGTERM, "source ended by somebody: terminating on signal 15 from pid"),
    ],
)
def test_one_that_somebody_else_ends_is_the_hosts_fault(scratch: Path, how: signal.Signals, said: str) -> None:
    async def killed(guest: Guest) -> None:
        os.kill(guest.pid, how)
        while guest.exit_status is None:
            await asyncio.sleep(0.01)

    with pytest.raises(EnvironmentBroke) as error:
        during(scratch, killed)

    assert str(error.value).startswith(said)


@needs_qemu
def test_one_that_we_kill_is_nobodys_fault(scratch: Path) -> None:
    async def killed(guest: Guest) -> int | None:
        guest.send_signal(signal.SIGKILL)
        while guest.exit_status is None:
            await asyncio.sleep(0.01)
        return guest.exit_status

    assert during(scratch, killed) == -signal.SIGKILL
