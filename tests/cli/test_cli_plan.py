"""``multifd cells`` and ``multifd explain``: the plan before anything runs."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Final

import pytest

from multifd.nearest import suggestion
from multifd.profile.load import shipped
from multifd.result.counted import counted
from tests.cli.command import ROOT, multifd
from tests.qemu.host import QEMU, facts, needs_qemu

PAIRING: Final = "wire/zlib/{}/qemu-10.0/capture/mixed/4k/2ch"
METHODS: Final = "negotiation/zlib~zstd/zlib~zstd/qemu-10.0/live/mixed/4k/2ch"
OURS: Final = ("probe", "wire", "negotiation", "integrity", "flips")
"""Suites that need neither a library nor a binary."""
NONE: Final = ("--qemu", "none")
"""Whatever this host has."""
NO_QEMU: Final = "no cells of the suite qemu without a binary: --qemu PATH, or --qemu found (docs/qemu.md)"


@pytest.fixture(scope="module")
def profile(two: Path) -> Path:
    """Prepared once for all of them."""
    return two


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One codec, twice."""
    path = tmp_path_factory.mktemp("profile") / "few.yaml"
    path.write_text("description: few\npeers:\n  - codec: zlib\n  - codec: zlib\n    parameters: {level: 9}\n")
    return path


def listed(profile: Path, *options: str) -> list[list[str]]:
    """Prediction and id of every cell that is shown; the count, which ends stderr, is right."""
    answer = multifd("cells", "--hwprofile", profile, *(() if "--qemu" in options else NONE), *options)
    lines = [line.split(maxsplit=1) for line in answer.out.splitlines()]
    assert (answer.code, answer.err.splitlines()[-1].partition(", ")[0]) == (0, counted(len(lines)))
    return lines


def test_a_cell_is_shown_with_its_prediction(profile: Path) -> None:
    assert ["identical", PAIRING.format("zlib~zlib")] in listed(profile, "wire/zlib/")


def test_without_a_filter_every_suite_is_shown(profile: Path) -> None:
    assert {cell.partition("/")[0] for _, cell in listed(profile)} == {
        "probe",
        "wire",
        "negotiation",
        "integrity",
        "flips",
    }


@pytest.mark.parametrize("suite", OURS)
def test_the_suite_selects(profile: Path, suite: str) -> None:
    assert {cell.partition("/")[0] for _, cell in listed(profile, "--suite", suite)} == {suite}


@pytest.mark.parametrize("predicted", ["identical", "rejected"])
def test_the_prediction_selects(profile: Path, predicted: str) -> None:
    assert {outcome for outcome, _ in listed(profile, "--predicted", predicted)} == {predicted}


def test_sender_and_receiver_select_by_exact_name(profile: Path) -> None:
    shown = listed(profile, "--suite", "wire", "--sender", "zstd", "--receiver", "zstd")

    assert shown
    assert {cell.split("/")[2] for _, cell in shown} == {"zstd~zstd"}


def test_the_shards_of_what_is_chosen_are_together_all_of_it(profile: Path) -> None:
    chosen = listed(profile, "wire/")

    parts = [listed(profile, "wire/", "--shard", f"{number}/3") for number in (1, 2, 3)]

    assert all(parts)
    assert sorted(line for part in parts for line in part) == sorted(chosen)


@pytest.mark.parametrize(
    ("shard", "complaint"),
    [
        ("4/3", "expected"),
        ("one", "expected"),
        ("1/1000", "groups of cells, each run as a whole; expected at most so many shards"),
    ],
)
def test_a_shard_that_cannot_be_is_exit_2(shard: str, complaint: str, profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--shard", shard)

    assert (answer.code, answer.out) == (2, "")
    assert f"--shard {shard}" in answer.err or f"--shard '{shard}'" in answer.err
    assert complaint in answer.err


def test_a_name_is_meant_as_it_is_before_it_is_part_of_another(few: Path) -> None:
    shown = listed(few, "--suite", "wire", "--sender", "zlib", "--receiver", "zlib[*")

    assert {cell.split("/")[2] for _, cell in shown} == {"zlib~zlib[level=9]"}


def test_a_pattern_is_of_the_whole_id_and_brackets_are_brackets(few: Path) -> None:
    shown = listed(few, "wire/zlib/*~zlib[level=?]/*")

    assert shown
    assert all(cell.split("/")[2].endswith("~zlib[level=9]") for _, cell in shown)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("wire/zlib/zlib~zlip/",), "no cell 'wire/zlib/zlib~zlip/'; the nearest are wire/zlib/zlib~zlib/"),
        (("--sender", "zlbi"), "no sender 'zlbi'; the nearest are zlib, "),
        (("--receiver", "z?"), "no receiver 'z?'; the nearest are z"),
        (("--suite", "vendor"), "no cell is left by these filters; multifd cells without them lists all"),
        (("--suite", "probe", "--predicted", "hazard"), "no cell is left by these filters; "),
        (("wire/zlib/*", "--predicted", "hazard"), "no cell is left by these filters; "),
        (("wire/zlib/*", "--suite", "negotiation"), "no cell is left by these filters; "),
        (("--suite", "qemu"), f"{NO_QEMU}\n"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_what_fits_nothing_is_exit_2(arguments: tuple[str, ...], complaint: str, profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, *arguments)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"multifd: {complaint}")


def test_json_has_the_reason(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--json", METHODS)

    assert (answer.code, answer.err) == (0, f"multifd: {NO_QEMU}\n")
    assert json.loads(answer.out) == {
        "id": METHODS,
        "predicted": "rejected",
        "reason": "flags 0x2 under the mask 0x3e of qemu-10.0 are 0x2; zstd expects 0x4",
    }


def test_what_peers_cannot_do_is_shown_instead(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--unable")

    lines = answer.out.splitlines()
    assert "zlib                      sender    zstd: it cannot emit container zlib" in lines
    assert "zstd                      receiver  zlib: it cannot read container zstd" in lines
    assert not [line for line in lines if "/" in line]


def test_what_peers_cannot_do_is_json_too(profile: Path) -> None:
    lines = multifd("cells", "--hwprofile", profile, *NONE, "--unable", "--json").out.splitlines()

    assert {"framing": "zlib", "peer": "zstd", "role": "sender", "reason": "it cannot emit container zlib"} in map(
        json.loads, lines
    )


def test_json_and_text_show_the_same_cells(profile: Path) -> None:
    lines = multifd("cells", "--hwprofile", profile, *NONE, "--json").out.splitlines()

    assert [json.loads(line)["id"] for line in lines] == [cell for _, cell in listed(profile)]


def test_the_chain_of_reasons_ends_in_what_decides(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, METHODS)

    lines = answer.out.splitlines()
    assert (answer.code, answer.err) == (0, "")
    assert lines[0] == f"cell       {METHODS}"
    assert [line.split()[0] for line in lines if line.startswith("  ")][-1] == "decides"
    assert "predicted rejected: flags 0x2 under the mask 0x3e of qemu-10.0 are 0x2; zstd expects 0x4" in lines
    assert lines[-1] == f"run it: python3 bootstrap.py conformance --cell '{METHODS}' --hwprofile {profile} --qemu none"


def test_every_reason_of_an_identical_cell_holds(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, PAIRING.format("zlib~zlib"))

    chain = [line.split()[0] for line in answer.out.splitlines() if line.startswith("  ")]
    assert set(chain) == {"holds"}


@pytest.fixture(scope="module")
def claiming(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A codec, and a peer that claims QAT and gives it nothing below 500,000 bytes; the cells of both."""
    path = tmp_path_factory.mktemp("profile") / "claiming.yaml"
    command = [sys.executable, str(Path(__file__).with_name("claimant.py")), "threshold=500000"]
    environment = {"PYTHONPATH": str(ROOT)}
    peer = {"name": "claimant", "command": command, "environment": environment}
    path.write_text(json.dumps({"description": "claiming", "peers": [{"codec": "zlib"}, peer]}))
    return path, [cell for _, cell in listed(path, "--suite", "wire")]


@pytest.mark.parametrize(
    ("framing", "names", "told"),
    [
        ("zlib-page[window=15]", "claimant~zlib",
         "claimant compresses full packets in software, by design: 4,096 bytes are below input_sz_thrshold (500,000)"),
        ("qatzip", "claimant~zlib", None),
        ("qatzip", "zlib~claimant",
         "claimant decodes full packets in software, by design: a member of 524,288 bytes is larger than hw_buff_sz"
         " (65,536)"),
        ("qatzip", "zlib~zlib", None),
    ],
)  # fmt: skip
def test_what_a_library_leaves_to_its_software_by_design_is_told_before(
    framing: str, names: str, told: str | None, claiming: tuple[Path, list[str]]
) -> None:
    profile, cells = claiming
    cell = next(cell for cell in cells if cell.startswith(f"wire/{framing}/{names}/") and "/4k/" in cell)

    answer = multifd("explain", "--hwprofile", profile, *NONE, cell)

    found = [line.removeprefix("device").strip() for line in answer.out.splitlines() if line.startswith("device")]
    assert found == ([] if told is None else [told])


def test_every_cell_can_be_explained(profile: Path) -> None:
    explained = multifd("explain", "--hwprofile", profile, *NONE, "--json", "*").out.splitlines()

    assert [json.loads(line)["id"] for line in explained] == [cell for _, cell in listed(profile)]


def test_json_has_the_chain(profile: Path) -> None:
    (line,) = multifd("explain", "--hwprofile", profile, *NONE, "--json", METHODS).out.splitlines()

    told = json.loads(line)
    assert (told["predicted"], told["rule"], told["chain"][-1]["rule"]) == ("rejected", "flags", "flags")
    assert told["reproduce"].startswith(f"python3 bootstrap.py conformance --cell '{METHODS}'")


def test_of_many_that_fit_the_first_are_explained_and_the_rest_counted(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, "negotiation/")

    assert sum(line.startswith("cell ") for line in answer.out.splitlines()) == 10
    assert re.fullmatch(r"multifd: [\d,]+ more cells fit 'negotiation/' \(multifd cells lists all\)\n", answer.err)


def test_an_unknown_cell_is_refused_with_the_nearest(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, PAIRING.format("zlib~zlip"))

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(
        f"multifd: no cell '{PAIRING.format('zlib~zlip')}'; the nearest are {PAIRING.format('zlib~zlib')}, "
    )


def test_whatever_is_asked_something_is_nearest(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, "?")

    assert answer.code == 2
    assert "the nearest are none" not in answer.err


def test_without_a_binary_the_suite_qemu_is_missed(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE)

    assert answer.err.splitlines()[0] == f"multifd: {NO_QEMU}"


def test_who_asks_for_another_suite_misses_nothing(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--suite", "integrity")

    assert NO_QEMU not in answer.err


def test_a_cell_of_the_suite_qemu_is_not_explained_without_a_binary(profile: Path) -> None:
    answer = multifd("explain", "--hwprofile", profile, *NONE, "qemu/zlib/x")

    assert (answer.code, answer.out, answer.err) == (2, "", f"multifd: no cell 'qemu/zlib/x': {NO_QEMU}\n")


@needs_qemu
def test_a_binary_has_its_cells(profile: Path) -> None:
    shown = listed(profile, "--qemu", shlex.join(QEMU.command), "--suite", "qemu")

    name = f"qemu-{facts(QEMU).release}"
    assert ["identical", f"qemu/zlib/{name}~{name}/{facts(QEMU).dialect.name}/migrate/mixed/4k/2ch"] in shown
    assert {cell.partition("/")[0] for _, cell in shown} == {"qemu"}


@needs_qemu
def test_a_cell_of_a_binary_is_explained_with_the_command_that_runs_it(profile: Path) -> None:
    name, binary = f"qemu-{facts(QEMU).release}", shlex.join(QEMU.command)
    cell = f"qemu/zlib~zstd/{name}~{name}/{facts(QEMU).dialect.name}/busy-destination/mixed/4k/2ch"

    answer = multifd("explain", "--hwprofile", profile, "--qemu", binary, cell)

    *_, predicted, run_it = answer.out.splitlines()
    assert predicted.endswith("by the time the receiver looks, the sender has sent everything and is done")
    assert run_it == f"run it: python3 bootstrap.py conformance --cell '{cell}' --hwprofile {profile} --qemu {binary}"


@pytest.mark.parametrize("command", [("cells",), ("explain", "x")])
def test_a_binary_that_is_none_is_refused(profile: Path, command: tuple[str, ...]) -> None:
    answer = multifd(*command, "--hwprofile", profile, "--qemu", "/no/qemu")

    line = "multifd: --qemu '/no/qemu': no such program; expected a path, a command line, or 'found'\n"
    assert (answer.code, answer.out, answer.err) == (2, "", line)


@pytest.mark.parametrize("command", [("cells",), ("explain", "x")])
def test_an_unknown_profile_is_refused(command: tuple[str, ...]) -> None:
    answer = multifd(*command, "--hwprofile", "lab")

    line = (
        f"multifd: profile 'lab' is neither a file nor one of {', '.join(shipped())}; {suggestion('lab', shipped())}\n"
    )
    assert (answer.code, answer.out, answer.err) == (2, "", line)


def test_coverage_counts_pairs_and_triples(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--coverage", "--json")

    counted = json.loads(answer.out)
    assert (counted["seed"], counted["strength"], counted["never"]) == (1, 2, [])
    assert counted["2-way"]["had"] == counted["2-way"]["feasible"] > 500
    assert counted["2-way"]["feasible"] < counted["3-way"]["had"] < counted["3-way"]["feasible"]


def test_coverage_is_of_the_whole_plan(profile: Path) -> None:
    answer = multifd("cells", "--hwprofile", profile, *NONE, "--coverage", "--suite", "wire")

    said = "multifd: --coverage counts the whole plan; expected no filter and no --unable beside it\n"
    assert (answer.code, answer.err) == (2, said)
