"""``multifd profile``: what is written loads again, and says what the host has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from multifd.accelerator import ACCELERATORS
from multifd.cli.main import app
from multifd.cli.profile import describe
from multifd.device.found import Device, Problem
from multifd.lineup.preflight import preflight
from multifd.profile.load import load
from tests.device.recorded import GEN4, SPR
from tests.device.trees import host


def written(root: Path, path: Path) -> Path:
    answer = CliRunner().invoke(app, ["profile", "--root", str(root), "--output", str(path)])
    assert answer.exit_code == 0, answer.output
    return path


def test_a_host_without_accelerators_emulates_them(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()

    profile = load(str(written(tmp_path / "root", tmp_path / "lab.yaml")))

    assert profile.description == "Written from a host with no accelerator."
    assert {kind: entry.policy for kind, entry in profile.devices.items()} == dict.fromkeys(ACCELERATORS, "emulate")
    assert profile.peers == load("auto").peers


def test_devices_that_are_usable_are_required_in_their_number(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    host(root, SPR.replace("0660", "0666"))

    profile = load(str(written(root, tmp_path / "lab.yaml")))

    assert profile.required == ("iaa",)
    assert profile.devices["iaa"].count == 1


IAX = Device("iaa", "iax1", "0000:6a:02.0", "spr", {}, (), ())
DOWN = replace(IAX, name="iax3", problems=(Problem("it is down", "echo up"),))


@pytest.mark.parametrize(
    ("working", "policy", "count"), [((), "emulate", 1), (("qat",), "emulate", 1), (("iaa", "qat"), "require", 2)]
)
def test_devices_are_required_where_they_have_shown_that_they_work(
    working: tuple[str, ...], policy: str, count: int
) -> None:
    entry = yaml.safe_load(describe((IAX, replace(IAX, name="iax5"), DOWN), working))["devices"]["iaa"]

    assert (entry["policy"], entry.get("count", 1)) == (policy, count)


def test_of_devices_that_work_and_do_not_look_like_it_one_is_required() -> None:
    entry = yaml.safe_load(describe((DOWN, replace(DOWN, name="iax5")), ["iaa"]))["devices"]["iaa"]

    assert entry == {"policy": "require", "count": 1}


def test_what_works_here_is_what_a_run_finds(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"

    answer = CliRunner().invoke(app, ["profile", "--output", str(path)])

    assert answer.exit_code == 0, answer.output
    works = {tried.kind for tried in preflight(load("auto")) if tried.works}
    assert set(load(str(path)).required) == works


def test_it_is_printed_unless_a_file_is_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["profile", "--root", str(tmp_path)])

    assert answer.output.startswith("description: Written from a host with")


def test_a_file_without_a_directory_is_bad_input(tmp_path: Path) -> None:
    from multifd.errors import InputError

    answer = CliRunner().invoke(app, ["profile", "--root", str(tmp_path), "--output", str(tmp_path / "no" / "x.yaml")])

    assert isinstance(answer.exception, InputError)
    assert str(answer.exception).endswith(f"x.yaml': there is no directory {tmp_path}/no, expected one")


def test_a_device_without_room_for_a_cell_is_not_required(tmp_path: Path) -> None:
    host(tmp_path, GEN4)

    answer = CliRunner().invoke(app, ["profile", "--root", str(tmp_path)])

    assert yaml.safe_load(answer.output)["devices"]["qat"] == {"policy": "emulate"}
