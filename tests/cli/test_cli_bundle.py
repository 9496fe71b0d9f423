"""``multifd bundle``: a cell of any kind in one file, which replays elsewhere."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from multifd.result import store
from multifd.result.record import Cell
from tests.cli.command import Answer, multifd
from tests.qemu.host import needs_qemu
from tests.reports.builder import cell as recorded
from tests.reports.builder import results

PROFILE = "extends: software-only\ndescription: one codec\npeers: [{codec: zlib}]\n"
LIVE = "/zlib~zlib/qemu-10.0/live/"
REFUSED = "qemu/zlib~none/{0}~{0}/"
OURS = "wire/zlib/zlib~zlib/qemu-10.0/capture/mixed/4k/2ch"
THEIRS = "qemu/zlib~none/qemu-99.0~qemu-98.0/qemu-10.0~qemu-5.0/migrate-legacy/mixed/4k/2ch"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: what it plans is kept."""
    path = tmp_path_factory.mktemp("bundle") / "one.yaml"
    path.write_text(PROFILE)
    return path


def a_cell(profile: Path, text: str, *options: str) -> str:
    """The first cell with this in its id."""
    shown = multifd("cells", text, "--hwprofile", profile, *options).out
    return shown.splitlines()[0].split()[1]


def bundle(tmp_path: Path, profile: Path, cell: str, *options: str | Path) -> Answer:
    return multifd("bundle", cell, "--hwprofile", profile, "--output", tmp_path / "b.tar.gz", *options)


def held(path: Path) -> dict[str, Any]:
    """The JSON files of a bundle."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.name.endswith(".json")}
        return {name: json.loads(file.read()) for name, file in files.items() if file is not None}


@pytest.mark.parametrize("text", ["wire/zlib/zlib~zlib/qemu-10.0/capture/", LIVE])
def test_a_cell_in_a_bundle_replays(text: str, tmp_path: Path, profile: Path) -> None:
    cell = a_cell(profile, text)

    made = bundle(tmp_path, profile, cell)

    assert (made.code, made.out) == (0, f"{tmp_path / 'b.tar.gz'}: pass, with what was sent\n")
    assert multifd("replay", tmp_path / "b.tar.gz").code == 0
    assert multifd("dissect", tmp_path / "b.tar.gz").out.startswith(f"{tmp_path / 'b.tar.gz'}: ")
    assert held(tmp_path / "b.tar.gz")["cell.json"]["id"] == cell


@needs_qemu
def test_a_refused_migration_of_a_real_qemu_has_both_ends_words(tmp_path: Path, profile: Path) -> None:
    options = ("--qemu", "qemu-system-x86_64")
    name = json.loads(multifd("cells", "probe/qemu", "--hwprofile", profile, *options, "--json").out)["id"][6:]
    cell = a_cell(profile, REFUSED.format(name), *options)

    made = bundle(tmp_path, profile, cell, *options)

    assert made.out.endswith((": refused, with what was sent\n", ": known, with what was sent\n"))
    source = held(tmp_path / "b.tar.gz")["exhibits/source.words.json"]
    statuses = [entry["data"]["status"] for entry in source["qmp"] if entry.get("event") == "MIGRATION"]
    assert statuses[0] == "setup"
    assert "failed" in statuses
    assert "exhibits/destination.words.json" in held(tmp_path / "b.tar.gz")


def test_a_cell_that_is_not_planned_is_refused_with_the_nearest(tmp_path: Path, profile: Path) -> None:
    made = bundle(tmp_path, profile, "wire/zlib/zlib~zlab")

    assert made.code == 2
    assert "no cell 'wire/zlib/zlib~zlab'; the nearest are " in made.err


def a_run(directory: Path, *cells: Cell) -> Path:
    """Results with exhibits of each cell."""
    store.save(results(*cells), directory)
    for each in cells:
        place = directory / "exhibits" / each.id
        place.mkdir(parents=True)
        (place / "source.words.json").write_text("{}")
    return directory


def test_a_cell_of_another_host_is_bundled_from_its_record_and_what_lacks_is_said(
    tmp_path: Path, profile: Path
) -> None:
    run = a_run(tmp_path, recorded(id=THEIRS, suite="qemu", verdict="fail", predicted="rejected"))

    made = bundle(tmp_path, profile, THEIRS, "--results", run)

    assert (made.code, made.out.splitlines()) == (0, [
        f"{tmp_path}/b.tar.gz: fail, without a capture: its captures are not kept, and only the host of the run can run"
        " the cell again",
        "without the chain of reasons: the plan of this host has no such cell",
    ])  # fmt: skip
    files = held(tmp_path / "b.tar.gz")
    assert list(files) == ["bundle.json", "cell.json", "run.json", "peers.json", "exhibits/source.words.json"]
    assert (files["cell.json"]["id"], files["run.json"]) == (THEIRS, store.load(run).run.model_dump(mode="json"))
    assert {peer["name"] for peer in files["peers.json"]} == {"zlib", "isal"}


@pytest.mark.parametrize(("predicted", "explained"), [("identical", True), ("rejected", False)])
def test_a_recorded_cell_is_explained_where_this_host_predicts_the_same(
    predicted: str, explained: bool, tmp_path: Path, profile: Path
) -> None:
    verdict = "pass" if explained else "refused"
    run = a_run(tmp_path, recorded(id=OURS, predicted=predicted, observed=predicted, verdict=verdict))

    made = bundle(tmp_path, profile, OURS, "--results", run, "--json")

    why = None if explained else "this host predicts identical, and the run rejected"
    assert (made.code, json.loads(made.out)["unexplained"]) == (0, why)
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        assert {"prediction.txt", "profile.json"}.issubset(archive.getnames()) is explained


def test_a_cell_that_the_results_do_not_have_is_refused_with_their_nearest(tmp_path: Path, profile: Path) -> None:
    made = bundle(tmp_path, profile, OURS, "--results", a_run(tmp_path, recorded(id=THEIRS)))

    assert made.code == 2
    assert f"has no cell '{OURS}'; the nearest are {THEIRS}; " in made.err


@pytest.mark.parametrize("way", ["id", "artifact", "link"])
def test_nothing_outside_the_results_is_packed(way: str, tmp_path: Path, profile: Path) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    run.mkdir()
    outside.mkdir()
    (outside / "manifest.json").write_text("{}")
    name = "../../outside" if way == "id" else OURS
    store.save(results(recorded(id=name, artifacts=("../outside",) if way == "artifact" else ())), run)
    (run / "exhibits" / OURS).parent.mkdir(parents=True)
    if way == "link":
        (run / "exhibits" / OURS).symlink_to(outside)

    made = bundle(tmp_path, profile, name, "--results", run)

    assert made.code == (0 if way == "artifact" else 2)
    if made.code == 0:
        assert not held(tmp_path / "b.tar.gz")["bundle.json"]["capture"]
    else:
        assert "is not below it, expected no link and no '..'" in made.err


def test_a_directory_without_results_is_told_of(tmp_path: Path, profile: Path) -> None:
    made = bundle(tmp_path, profile, OURS, "--results", tmp_path)

    assert (made.code, made.out) == (2, "")
