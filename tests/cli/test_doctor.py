"""``multifd doctor``: words and commands for a person, the same as JSON, and an exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multifd.accelerator import VENDOR
from multifd.cli import doctor
from multifd.cli.examined import ENVIRONMENT, HEALTHY, UNUSABLE
from multifd.cli.main import app
from multifd.cli.qemus import Found
from multifd.device.diagnose import Diagnosis, diagnose
from multifd.device.exclusive import Exclusive
from multifd.device.found import Device
from multifd.device.recorded_host import RecordedHost
from multifd.device.sysfs import Host
from multifd.errors import InputError
from multifd.libraries.find import Library
from multifd.libraries.packages import remedy
from multifd.lineup.preflight import Alone, Tried
from multifd.lineup.started import Started
from multifd.profile.model import Profile
from multifd.qemu.binary import Binary
from tests.device.recorded import GEN4, KUNPENG, SPR
from tests.device.trees import MIB, host
from tests.qemu.recorded import facts

FETCHED = Binary(command=("/cache/ld.so", "--library-path", "/cache", "/cache/bin/qemu-system-x86_64", "-L", "/share"))
QPL = Library("qpl", Path("/usr/lib/libqpl.so.1"), "1.9.0", "host", (), (2, 38))
TOO_NEW = Library("qpl", Path("/opt/libqpl.so.1"), None, "profile", (), (2, 41), "needs glibc 2.41, the host has 2.36")
STARTED = Started("1.9.0", None)
BROKEN = Started("not available", "qpl: no module named qpl")


@pytest.fixture(autouse=True)
def _plain_host(monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [])
    real(monkeypatch)
    fly(monkeypatch)
    monkeypatch.setattr(doctor, "diagnose", room)


def fly(monkeypatch: pytest.MonkeyPatch, *tried: Tried) -> None:
    """Let the round trips on the devices go so."""
    monkeypatch.setattr(doctor, "preflight", lambda profile, **_: tried)


def room(host: Host, enough: int | None = 4 * MIB) -> Diagnosis:
    """A diagnosis for a run that is content with little."""
    return diagnose(host, enough)


def find(monkeypatch: pytest.MonkeyPatch, libraries: Sequence[Library], started: Started = STARTED) -> None:
    """Let there be these libraries, and each start so."""
    monkeypatch.setattr(doctor, "candidates", lambda: tuple(libraries))
    monkeypatch.setattr(doctor, "start", lambda library: started)


def real(monkeypatch: pytest.MonkeyPatch, *qemus: Found) -> None:
    monkeypatch.setattr(doctor, "on_this_host", lambda: list(qemus))


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--root", str(root), *arguments])


def test_a_device_that_works_is_shown_and_nothing_is_wrong(tmp_path: Path) -> None:
    host(tmp_path, SPR.replace("0660", "0666"))

    result = run(tmp_path)

    assert "  usable    iaa iax1 0000:6a:02.0: driver idxd, queues wq1.0 user shared\n" in result.output
    assert result.exit_code == HEALTHY


def test_a_device_that_is_broken_is_shown_with_its_fix(tmp_path: Path) -> None:
    host(tmp_path, KUNPENG, "- /dev/hisi_zip-4")

    result = run(tmp_path)

    assert (
        "  unusable  kunpeng hisi_zip-4 0000:75:00.0: driver hisi_zip, free queues 256\n"
        "    it has no device node /dev/hisi_zip-4\n"
        "      udevadm trigger --subsystem-match=uacce\n"
    ) in result.output
    assert result.exit_code == UNUSABLE


def test_a_host_with_nothing_is_told_what_happens_instead(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert "none: no QAT, IAA or Kunpeng on this host; their peers run in software or are emulated" in result.output
    assert f"qpl: none found; remedy: {remedy(VENDOR['qpl'])}" in result.output
    assert result.exit_code == HEALTHY


def test_a_library_is_shown_with_version_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [TOO_NEW, QPL])

    result = run(tmp_path)

    assert "  qpl 1.9.0 /usr/lib/libqpl.so.1 (host)\n" in result.output
    assert result.exit_code == HEALTHY


def test_a_library_that_cannot_reach_its_device_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [replace(QPL, warning="opens libaccel-config.so.1, which is not there")])

    assert (
        "  qpl 1.9.0 /usr/lib/libqpl.so.1 (host)\n    it opens libaccel-config.so.1, which is not there\n"
        in run(tmp_path).output
    )
    assert json.loads(run(tmp_path, "--json").output)["libraries"][0]["warning"].startswith("opens libaccel")


def test_a_library_that_cannot_be_loaded_is_something_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [TOO_NEW])

    result = run(tmp_path)

    assert "  qpl /opt/libqpl.so.1: needs glibc 2.41, the host has 2.36\n" in result.output
    assert result.exit_code == UNUSABLE


@pytest.mark.parametrize(
    ("libraries", "started", "version"),
    [
        ([TOO_NEW, QPL], STARTED, "1.9.0"),
        ([replace(QPL, version=None)], STARTED, "1.9.0"),
        ([QPL], BROKEN, "not available"),
        ([TOO_NEW], STARTED, "not available"),
    ],
    ids=["started", "found-without-a-version", "not-started", "not-loadable"],
)
def test_versions_are_those_of_the_libraries_as_the_run_starts_them(
    libraries: list[Library], started: Started, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, libraries, started)

    assert f", qatzip not available, qpl {version}\n" in run(tmp_path).output
    assert json.loads(run(tmp_path, "--json").output)["versions"]["qpl"] == version


def test_a_library_that_the_run_cannot_start_is_something_unusable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, [QPL], BROKEN)

    result = run(tmp_path)

    assert "  qpl 1.9.0 /usr/lib/libqpl.so.1 (host)\n    a run cannot start it: qpl: no module named qpl\n" in (
        result.output
    )
    assert result.exit_code == UNUSABLE


def test_a_round_trip_on_a_device_is_told_in_the_librarys_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(tmp_path, SPR.replace("0660", "0666"))
    find(monkeypatch, [QPL])
    fly(monkeypatch, Tried("iaa", "qpl", (), "qpl_execute_job: status 503", 0.1))

    result = run(tmp_path)

    assert (
        "  qpl 1.9.0 /usr/lib/libqpl.so.1 (host)\n    it does not work on its device: qpl_execute_job: status 503\n"
        in (result.output)
    )
    assert result.exit_code == UNUSABLE
    assert json.loads(run(tmp_path, "--json").output)["libraries"][0]["preflight"] == {
        "kind": "iaa", "library": "qpl", "roles": [], "words": "qpl_execute_job: status 503", "seconds": 0.1
    }  # fmt: skip


def test_a_library_knows_better_than_detection_whether_its_device_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(tmp_path, SPR, "- /dev/iax")
    find(monkeypatch, [QPL])
    fly(monkeypatch, Tried("iaa", "qpl", ("receiver",), "one round trip worked", 0.1))

    result = run(tmp_path)

    assert "  unusable  iaa iax1" in result.output
    assert "    it works on its device only as receiver: one round trip worked\n" in result.output
    assert result.exit_code == HEALTHY


def test_of_an_accelerator_that_is_not_there_no_round_trip_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(tmp_path, KUNPENG)
    find(monkeypatch, [QPL])
    fly(monkeypatch, Tried("iaa", "qpl", (), "status 501", 0.1))

    assert "on its device" not in run(tmp_path).output


def test_a_qemu_is_shown_with_version_program_and_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch, Found(FETCHED, facts("10.0")))

    result = run(tmp_path)

    assert "  qemu 10.0.13 /cache/bin/qemu-system-x86_64: none, zlib, zstd\n" in result.output
    assert result.exit_code == HEALTHY


def test_a_qemu_that_does_not_start_is_something_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch, Found(FETCHED, problem="qemu ended with status 127"))

    result = run(tmp_path)

    assert "  /cache/bin/qemu-system-x86_64: qemu ended with status 127\n" in result.output
    assert result.exit_code == UNUSABLE


def test_a_host_without_qemu_is_told_how_to_get_one(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert "QEMU\n  none in PATH, none fetched; fetch some with: multifd vendor fetch --qemu\n" in result.output
    assert result.exit_code == HEALTHY


def test_a_host_without_room_breaks_the_environment(tmp_path: Path) -> None:
    host(tmp_path, "/proc/meminfo = MemAvailable: 2048 kB")

    result = run(tmp_path)

    assert "2 MiB of memory are available, a whole run asks for 4 MiB" in result.output
    assert result.exit_code == ENVIRONMENT


def test_json_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host(tmp_path, KUNPENG, "- /dev/hisi_zip-4")
    find(monkeypatch, [QPL])
    real(monkeypatch, Found(FETCHED, facts("10.0")), Found(FETCHED, problem="qemu does not answer"))

    said = json.loads(run(tmp_path, "--json").output)

    (device,) = said["devices"]
    assert (device["name"], device["usable"]) == ("hisi_zip-4", False)
    assert device["problems"] == [
        {"what": "it has no device node /dev/hisi_zip-4", "fix": "udevadm trigger --subsystem-match=uacce"}
    ]
    assert said["libraries"] == [
        {
            "name": "qpl", "version": "1.9.0", "path": "/usr/lib/libqpl.so.1", "origin": "host", "problem": None,
            "warning": None, "started": {"version": "1.9.0", "problem": None}, "preflight": None,
        }
    ]  # fmt: skip
    (proof,) = said["proof"]
    assert (proof["kind"], proof["possible"], proof["missing"]["what"]) == (
        "kunpeng",
        False,
        "its driver shows no counters (/sys/kernel/debug/hisi_zip/0000:75:00.0/*core*/regs)",
    )
    command = list(FETCHED.command)
    assert said["qemu"] == [
        {
            "command": command, "version": "10.0.13", "package": facts("10.0").package,
            "methods": ["none", "zlib", "zstd"], "problem": None,
        },
        {"command": command, "version": None, "package": None, "methods": [], "problem": "qemu does not answer"},
    ]  # fmt: skip
    assert {"multifd", "python", "zlib", "zstd", "isal"} <= said["versions"].keys()


def test_its_help_teaches_what_it_shows_and_how_to_ask_for_more() -> None:
    said = CliRunner().invoke(app, ["doctor", "--help"]).output

    wanted = (
        "accelerators",
        "proof",
        "vendor libraries",
        "room",
        "--record lab.txt",
        "--host lab.txt",
        "Exit codes: 0",
    )
    assert [words for words in wanted if words not in said] == []


def test_a_root_that_is_no_directory_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    result = run(tmp_path / "absent")

    assert result.exit_code == 2


HOSTS = Path(__file__).parents[1] / "device/hosts"
RECORDS = sorted(HOSTS.glob("*.txt"))
SECTIONS = {"vendor libraries", "QEMU", "versions", "room"}


def diagnosed(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--host", str(file), *arguments])


@pytest.mark.parametrize("file", RECORDS, ids=[file.stem for file in RECORDS])
def test_a_host_that_is_recorded_is_diagnosed_as_it_was(file: Path, tmp_path: Path) -> None:
    root, record = tmp_path / "root", tmp_path / "again.txt"
    RecordedHost.read(file).plant(root)

    run(root, "--record", str(record))

    first, again = json.loads(diagnosed(file, "--json").output), json.loads(diagnosed(record, "--json").output)
    assert {**again, "host": str(file)} == first
    assert diagnosed(record).exit_code == diagnosed(file).exit_code


def test_a_recorded_host_has_nothing_of_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, [QPL])
    real(monkeypatch, Found(FETCHED, facts("10.0")))
    file = record(tmp_path, SPR)

    shown = diagnosed(file).output.splitlines()

    assert SECTIONS.isdisjoint(shown)
    assert {"accelerators", "proof"} <= set(shown)
    assert json.loads(diagnosed(file, "--json").output).keys() == {"host", "devices", "proof"}


def test_a_recorded_host_ends_as_a_live_one_would(tmp_path: Path) -> None:
    root = "user root 0 0 memlock unlimited"

    codes = [diagnosed(record(tmp_path, *tree)).exit_code for tree in ((root, SPR), (root, KUNPENG, "- /dev"), ("",))]

    assert codes == [HEALTHY, UNUSABLE, HEALTHY]


def test_a_note_is_shown_below_a_device_that_can_be_used(tmp_path: Path) -> None:
    result = diagnosed(HOSTS / "I3.txt")

    assert (
        "    note: work queue wq1.0 does not wait for a page that is not in memory (block_on_fault is 0): such jobs end"
        " with status 303 or 431 or come short\n"
        "      # this ends what others do on iax1/wq1.0: fuser -v /dev/iax/wq1.0\n"
    ) in result.output
    assert result.exit_code == HEALTHY


def test_a_device_of_one_direction_says_which(tmp_path: Path) -> None:
    assert "NUMA node 0, submission write(), only as receiver\n" in diagnosed(HOSTS / "I-own4.txt").output


def test_what_proves_the_work_is_shown_with_what_would_prove_it_better() -> None:
    output = diagnosed(HOSTS / "P2.txt").output

    assert (
        "proof\n"
        "  iaa: the library's word alone: libqpl's hardware path ends with an error where no device takes a job, it"
        " never goes on in software\n"
        "    user alice may not count for all processes: perf_event_paranoid is 2\n"
        '      setcap cap_perfmon+ep "$(readlink -f "$(command -v python3)")"\n'
    ) in output


def test_a_counter_that_can_be_read_is_all_that_proof_needs() -> None:
    output = diagnosed(HOSTS / "P2-open.txt").output

    assert output.endswith("  iaa: descriptors submitted to shared work queues from user space (performance unit)\n")


def test_a_line_that_cannot_be_read_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "lab.txt"
    file.write_text("kernel 6.8\nprocessor Xeon\n", encoding="utf-8")

    result = diagnosed(file)

    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(f"{file}: line 2 is 'processor Xeon', expected an absolute path")


def test_one_host_is_recorded_or_another_diagnosed(tmp_path: Path) -> None:
    result = run(tmp_path, "--record", str(tmp_path / "a"), "--host", str(tmp_path / "b"))

    assert isinstance(result.exception, InputError)


def test_a_record_without_a_directory_is_bad_input(tmp_path: Path) -> None:
    result = run(tmp_path, "--record", str(tmp_path / "absent/lab.txt"))

    assert isinstance(result.exception, InputError)


def record(directory: Path, *trees: str) -> Path:
    """A recorded host with these trees."""
    file = directory / "host.txt"
    file.write_text("\n".join(trees), encoding="utf-8")
    return file


def test_a_device_that_somebody_holds_is_waited_for_aloud_and_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flown(profile: Profile, alone: Alone, found: Sequence[Device]) -> tuple[Tried, ...]:
        with alone(["iaa"]):
            return (Tried("iaa", "qpl", ("sender", "receiver"), "one round trip worked in 2 ms", 0.1),)

    host(tmp_path, SPR.replace("0660", "0666"))
    find(monkeypatch, [QPL])
    monkeypatch.setattr(doctor, "preflight", flown)
    monkeypatch.setattr(doctor, "_PATIENCE", 0.2)
    theirs = Exclusive(Host(tmp_path))

    with theirs.holding(diagnose(Host(tmp_path)).devices):
        result = run(tmp_path)

    me = f"process {os.getpid()}"
    assert f"multifd: waiting for IAA 0000:6a:02.0: {me} holds it (lock {tmp_path}/run/lock/" in result.stderr
    assert f"one round trip worked in 2 ms; not tried alone: {me} does not give the device free (" in result.stdout
    assert 0 < doctor._PATIENCE <= 10


def test_a_device_with_room_for_one_process_is_none_that_a_run_can_use(tmp_path: Path) -> None:
    host(tmp_path, GEN4)

    result = run(tmp_path)

    assert "  unusable  qat 4xxx 0000:6b:00.0" in result.output
    assert (
        "    1 process at a time can hold 4xxx 0000:6b:00.0, a cell has 2, a sender and a receiver\n" in result.output
    )
    assert "      # give it more virtual functions" in result.output
    assert result.exit_code == UNUSABLE
    assert json.loads(run(tmp_path, "--json").output)["devices"][0]["usable"] is False


def test_not_even_where_one_round_trip_works_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host(tmp_path, GEN4)
    find(monkeypatch, [replace(QPL, name="qatzip")])
    fly(monkeypatch, Tried("qat", "qatzip", ("sender", "receiver"), "one round trip worked in 2 ms", 0.1))

    assert run(tmp_path).exit_code == UNUSABLE
