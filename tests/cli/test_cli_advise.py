"""``multifd advise`` as a user sees it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.advice.guests import WITHIN, pair
from tests.cli.command import ROOT, Answer, multifd
from tests.cli.test_cli_runs import saved
from tests.qemu.host import QEMU, facts, needs_qemu
from tests.reports.builder import cell

PAGE = (ROOT / "docs/advise.md").read_text(encoding="utf-8")
SCENARIO = ("advise", "--from", "qemu-7.2", "--to", "qemu-10.0+qat", "--back")


def parts(text: str) -> list[list[str]]:
    """The headings within each direction."""
    return [re.findall(r"^  (\w.*)$", part, re.MULTILINE) for part in text.strip().split("\n\n")]


def test_each_direction_says_what_is_safe_what_to_paste_what_is_a_hazard_and_what_is_refused() -> None:
    answer = multifd(*SCENARIO)

    assert (answer.code, answer.err) == (0, "")
    there, back = parts(answer.out)
    assert [heading.split()[0].strip(":,") for heading in back] == [
        "safe", "none", "none", "zstd", "zstd", "zlib", "zlib", "hazards", "refused", "what",
    ]  # fmt: skip
    assert there == back


def test_what_is_pasted_for_one_method_sets_that_method_and_no_other() -> None:
    for way in multifd(*SCENARIO).out.strip().split("\n\n"):
        blocks = re.findall(r"^  (\w+) over QMP, .*\n((?:    .*\n)+)  \1 with libvirt, .*\n((?:    .*\n)+)", way, re.M)
        assert [method for method, _, _ in blocks] == ["none", "zstd", "zlib"]
        for method, qmp, libvirt in blocks:
            commands = [json.loads(line) for line in qmp.splitlines()]
            assert [each["execute"] for each in commands] == ["migrate-set-capabilities", "migrate-set-parameters"]
            assert commands[1]["arguments"]["multifd-compression"] == method
            assert len(libvirt.splitlines()) == 1


def test_a_name_that_is_a_sentences_beginning_ends_with_a_colon() -> None:
    out = multifd(*SCENARIO).out

    assert "    different methods: the flag of the sender's method is not the one that the receiver expects" in out
    assert re.findall(r"^ +(?:any method|different|fewer|\w+>\w+)[a-z >]* (?:the|an?) ", out, re.M) == []


def test_the_least_dear_comes_first_and_a_hazard_has_its_setting_with_its_default() -> None:
    back = multifd(*SCENARIO).out.split("\n\n")[1]

    assert back.index("    none ") < back.index("    zstd ") < back.index("    zlib ")
    assert "with zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy:" in back
    assert (
        '      instead: {"execute": "migrate-set-parameters", "arguments": {"zero-page-detection": "legacy"}}' in back
    )


def test_the_page_shows_what_the_command_says() -> None:
    shown = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    said = multifd(*SCENARIO).out
    assert shown
    for block in shown:
        for line in block.splitlines():
            assert line in said.splitlines(), line


def test_json_has_the_verdict_of_each_direction_and_its_lines() -> None:
    directions = json.loads(multifd(*SCENARIO, "--json").out)["directions"]

    assert [each["verdict"] for each in directions] == ["safe", "safe"]
    assert [each["sender"]["name"] for each in directions] == ["QEMU 7.2", "QEMU 10.0 with QAT"]
    assert {line["rests_on"] for each in directions for line in each["lines"]} == {"oracle"}


@pytest.mark.parametrize(
    ("sender", "receiver", "code"),
    [("7.2", "10.0", 0), ("11.1", "5.0", 1), ("7.2", "9.2", 2)],
    ids=["safe", "refused", "hazard"],
)
def test_the_exit_code_is_the_verdict(sender: str, receiver: str, code: int) -> None:
    assert multifd("advise", "--from", sender, "--to", receiver).code == code


def test_of_two_directions_the_worse_one_is_the_exit_code() -> None:
    assert multifd("advise", "--from", "9.2", "--to", "7.2").code == 0
    assert multifd("advise", "--from", "7.2", "--to", "9.2").code == 2

    assert multifd("advise", "--from", "9.2", "--to", "7.2", "--back").code == 2


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "7.2"),
        ("--from", "7.2", "--to", "nowhere"),
        ("--from", "4.2", "--to", "7.2"),
        ("--from", "7.2", "--to", "7.2", "--results", "/nowhere"),
        ("--from", "7.2", "--to", "7.2", "--bock"),
    ],
)
def test_bad_usage_ends_as_in_every_command_and_prints_no_verdict(words: tuple[str, ...]) -> None:
    answer = multifd("advise", *words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err


@pytest.mark.parametrize(
    ("given", "nearest"), [("quemu-10.0", "qemu-10.0"), ("icx", "icx-c62x"), ("qemu-10.0+qatt", "qat")]
)
def test_who_cannot_be_meant_is_refused_with_the_nearest_and_the_profiles_with_accelerators(
    given: str, nearest: str
) -> None:
    answer = multifd("advise", "--from", "qemu-7.2", "--to", given)

    assert f"; the nearest are {nearest}, " in answer.err
    assert "icx-c62x (QAT), kunpeng-920 (Kunpeng), spr-qat-iaa (QAT and IAA)\n" in answer.err


def test_the_help_says_which_profile_has_which_accelerator() -> None:
    said = " ".join(multifd("advise", "--help").out.split())

    assert "icx-c62x has QAT, spr-qat-iaa QAT and IAA, kunpeng-920 the zip engine" in said


@pytest.mark.parametrize("given", ["qat", "+qat", "QAT", "icx-c62x"])
def test_an_accelerator_is_named_as_people_call_it(given: str) -> None:
    answer = multifd("advise", "--from", "qemu-11.1", "--to", given)

    assert answer.out.startswith("safe  QEMU 11.1 to QEMU 11.1 with QAT")


def test_no_pattern_and_no_dialect_is_shown_where_releases_are_asked_about() -> None:
    said = multifd(*SCENARIO).out

    assert "flags received … flags expected …" in said
    assert not re.search(r"\\[dw(.]|\(Invalid argument\||qemu-\d", said.replace("qemu-mask", ""))


def test_of_a_run_each_line_says_on_what_it_rests(tmp_path: Path) -> None:
    seen = cell(
        id="negotiation/zstd", suite="negotiation", sender="zstd", receiver="zstd", framing="zstd", scenario="live",
        dialect="qemu-9.2>qemu-10.0",
    )  # fmt: skip

    answer = multifd("advise", "--from", "9.2.1", "--to", "10.0", "--results", saved(tmp_path, seen))

    assert "    zstd     memory arrives [run: 1 cell (software), negotiation/zstd]\n" in answer.out
    assert "    zlib     memory arrives [oracle]\n" in answer.out


def test_words_from_a_run_never_become_the_terminals(tmp_path: Path) -> None:
    seen = cell(
        id="negotiation/x", suite="negotiation", sender="zstd", receiver="zlib", framing="zstd>zlib", scenario="live",
        dialect="qemu-9.2>qemu-10.0", predicted="rejected", observed="rejected", verdict="refused",
        error="\x1b[2Jgone [red]\u202egone",
    )  # fmt: skip

    answer = multifd("advise", "--from", "9.2.1", "--to", "10.0", "--results", saved(tmp_path, seen))

    assert r"\x1b[2Jgone [red]\u202egone" in answer.out
    assert answer.out.replace("\n", "").isprintable()


def test_a_socket_where_nobody_answers_is_the_environments_fault(tmp_path: Path) -> None:
    path = tmp_path / "gone"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))

    answer = multifd("advise", "--from", path, "--to", path)

    assert answer.code == 3
    assert "is no QMP socket of a running QEMU" in answer.err


# Preflight


@needs_qemu
def test_a_preflight_has_a_verdict_the_settings_of_both_ends_and_what_to_change() -> None:
    untold, person, program = asyncio.run(flown(facts(QEMU).machines[-1]))

    assert (untold.code, untold.out.split()[0]) == (2, "unknown")
    assert (person.code, person.out.split()[0]) == (1, "refused")
    for heading in ("why", "it will say something like", "as it is set", "change at the destination"):
        assert f"\n  {heading}\n" in person.out
    there, back = json.loads(program.out)["preflights"]
    assert (program.code, there["verdict"], there["rests_on"]) == (1, "refused", "oracle")
    assert (there["sender"]["method"], there["receiver"]["method"]) == ("zlib", "zstd")
    assert (back["sender"]["name"], back["receiver"]["name"]) == (there["receiver"]["name"], there["sender"]["name"])
    [command] = there["change_receiver"]
    assert json.loads(command)["arguments"] == {"multifd-compression": "zlib"}


async def flown(machine: str) -> tuple[Answer, Answer, Answer]:
    """Of two QEMUs that are told nothing, and then different methods: for a person, and for a program both ways."""
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        async with pair(Path(directory), machine) as both:
            ends = ("advise", "--from", str(both.sockets[0]), "--to", str(both.sockets[1]))
            untold = await asyncio.to_thread(multifd, *ends)
            await both.set(("multifd", "return-path"), multifd_compression="zlib")
            await both.guests[1].execute("migrate-set-parameters", WITHIN, multifd_compression="zstd")
            person = await asyncio.to_thread(multifd, *ends)
            return untold, person, await asyncio.to_thread(multifd, *ends, "--back", "--json")
