"""``multifd why``: every cell of a pairing, how it ends, and the rule that decides."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from multifd.result import store
from tests.cli.command import multifd
from tests.reports.builder import cell, results, unable

NONE = ("--qemu", "none")


@pytest.fixture(scope="module")
def profile(two: Path) -> Path:
    """Prepared once for all of them."""
    return two


def test_every_cell_of_the_pairing_is_there_and_no_other(profile: Path) -> None:
    told = [json.loads(line) for line in multifd("cells", "--hwprofile", profile, *NONE, "--json").out.splitlines()]

    briefs = multifd("why", "zlib", "zstd", "--hwprofile", profile, *NONE, "--json").out.splitlines()

    wanted = {each["id"]: each["predicted"] for each in told if "/zlib~zstd/" in each["id"]}
    assert {brief["id"]: brief["ends"] for brief in map(json.loads, briefs)} == wanted


def test_cells_that_end_alike_for_one_reason_stand_together_with_the_rule(profile: Path) -> None:
    lines = multifd("why", "zlib", "zstd", "--hwprofile", profile, *NONE).out.splitlines()

    assert lines[0] == "zlib → zstd"
    (heading,) = [line for line in lines if "flags 0x2 under the mask 0x3e of qemu-10.0 are 0x2; zstd expects" in line]
    ends, count, rule, *_ = heading.split()
    assert (ends, rule) == ("rejected", "flags:")
    following = lines[lines.index(heading) + 1 : lines.index(heading) + 1 + int(count)]
    assert all(re.match(r"    negotiation/\S+~zstd/zlib~zstd/\S*qemu-10.0/", line) for line in following)


def test_the_worst_comes_first(profile: Path) -> None:
    lines = multifd("why", "zlib", "zlib", "--hwprofile", profile, *NONE).out.splitlines()

    ends = [line.split()[0] for line in lines if re.match(r"  \w", line)]
    assert list(dict.fromkeys(ends)) == ["hazard", "rejected", "identical"]
    assert ends == sorted(ends, key=["hazard", "rejected", "identical"].index)


def test_what_a_peer_cannot_do_is_said_too(profile: Path) -> None:
    lines = multifd("why", "zlib", "zstd", "--hwprofile", profile, *NONE).out.splitlines()

    assert "no cells: zlib as sender of zstd: it cannot emit container zstd" in lines


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("zlbi", "zstd"), "no sender 'zlbi'; the nearest are zlib, "),
        (("zlib", "zstd9"), "no receiver 'zstd9'; the nearest are zstd"),
    ],
)
def test_a_peer_that_is_not_there_is_refused_with_the_nearest(
    names: tuple[str, str], complaint: str, profile: Path
) -> None:
    answer = multifd("why", *names, "--hwprofile", profile, *NONE)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {complaint}")


@pytest.mark.parametrize("command", [("why", "zlib", "qatzpi"), ("cells", "--receiver", "qatzpi")])
def test_a_name_that_nobody_can_have_is_refused_before_any_qemu_is_asked(
    command: tuple[str, ...], profile: Path
) -> None:
    answer = multifd(*command, "--hwprofile", profile, "--qemu", "no-such-program")

    assert answer.err.startswith("multifd: no receiver 'qatzpi'; the nearest are qatzip, ")


def test_a_run_says_what_it_saw_the_worst_first(tmp_path: Path) -> None:
    cells = (
        cell(id="good", reason="it fits"),
        cell(id="bad", verdict="fail", kind="corrupt", reason="3 pages differ"),
        cell(id="other", receiver="zstd"),
    )
    store.save(results(*cells, cannot=(unable(peer="isal", role="receiver"),)), tmp_path)

    answer = multifd("why", "zlib", "isa", "--results", tmp_path)

    assert answer.code == 0
    assert answer.out.splitlines() == [
        "zlib → isal",
        "  corrupt 1  3 pages differ",
        "    bad",
        "  pass 1  it fits",
        "    good",
        "no cells: isal as receiver of zstd: it knows DEFLATE only",
    ]
