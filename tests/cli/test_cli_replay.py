"""``multifd replay`` by the codecs over vendor libraries: by a process that can load them, as in a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from multifd.cli import decoding
from multifd.device.sysfs import Host
from multifd.libraries.find import Library, libraries
from tests.cli.command import Answer, multifd
from tests.libraries.elves import libc_path
from tests.migrate.recording import Family, record, script

HERE: Final = Path(__file__).resolve().parents[1] / "captures"
ZLIB: Final = HERE / "qemu-7.2-zlib"
ZSTD: Final = HERE / "qemu-10.0-zstd"
FRAMINGS: Final = {"qpl": Family("qpl", "zlib", "qemu-9.1"), "qatzip": Family("qatzip", "zlib", "qemu-10.0")}


def present(name: str) -> str:
    """The decoder, where its library is."""
    if name not in libraries():
        pytest.skip(f"no library for {name} on this host; remedy: multifd vendor fetch")
    return name


def result(capture: Path, decoder: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(multifd("replay", capture, "--json", "--decoder", decoder).out)
    return content


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_vendors_library_decodes_wherever_it_needs_a_loader_of_its_own(name: str, tmp_path: Path) -> None:
    record(tmp_path / "capture", FRAMINGS[name], script(tmp_path / "script"))

    answer = multifd("replay", tmp_path / "capture", "--decoder", present(name))

    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("identical: ") and f"decoded by {name} as" in answer.out


def test_parameters_reach_the_library() -> None:
    refused = result(ZLIB, f"{present('qpl')}[level=2]")

    assert (refused["outcome"], refused["error"]) == ("unreadable", "codec qpl: level is 2; expected one of 1, 3")


def test_what_the_library_refuses_is_a_payload_error_with_its_place() -> None:
    refused = result(ZLIB, present("qpl"))

    assert refused["error"].startswith("qpl: qpl job failed with error 217 (QPL_STS_BAD_DIST_ERR)")
    assert refused["error"].count("channel 0, packet 2") == 1
    assert (refused["channel"], refused["block"], refused["offset"]) == (0, "m", 2752)


def test_what_the_codec_cannot_do_is_unsupported() -> None:
    assert result(ZSTD, present("qatzip"))["error"] == "qatzip cannot read container zstd"


def test_what_breaks_the_wire_has_its_field(tmp_path: Path) -> None:
    record(tmp_path / "capture", FRAMINGS["qpl"], script(tmp_path / "script"))
    channel = tmp_path / "capture/channel-0.bin"
    channel.write_bytes(channel.read_bytes()[:-1])

    broken = result(tmp_path / "capture", present("qpl"))

    assert (broken["outcome"], broken["field"], broken["channel"]) == ("unreadable", "packet header", 0)


def test_a_library_that_is_nowhere_says_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text("ID=fedora\n")
    monkeypatch.setattr(decoding, "candidates", tuple)
    monkeypatch.setattr(decoding, "Host", lambda: Host(tmp_path))

    answer = multifd("replay", ZLIB, "--decoder", "qatzip")

    remedy = "multifd: decoder qatzip: libqatzip is not on this host; remedy: dnf install qatzip-libs\n"
    assert answer == Answer(3, "", remedy)


def test_a_library_that_cannot_be_used_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    unfit = Library("qatzip", Path("/l/libqatzip.so.3"), "1.1.0", "host", (), (2, 2), "is libqatzip 1.1.0")
    monkeypatch.setattr(decoding, "candidates", lambda: (unfit,))

    answer = multifd("replay", ZLIB, "--decoder", "qatzip")

    assert answer.code == 3
    assert "libqatzip is not on this host; /l/libqatzip.so.3: is libqatzip 1.1.0; remedy: " in answer.err


def test_a_library_that_does_not_load_is_the_hosts_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Library("qpl", libc_path(), "2.36", "host", (), (2, 2))
    monkeypatch.setattr(decoding, "candidates", lambda: (other,))

    answer = multifd("replay", ZLIB, "--decoder", "qpl")

    assert answer.code == 3
    assert answer.err.startswith("multifd: decoder qpl: ")
    assert "qpl_get_job_size" in answer.err
