"""Bundles: what goes in comes out, and nothing but a bundle is taken for one."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from multifd.campaign import bundle
from multifd.campaign.bundle import Index, pack, unpack
from multifd.errors import EnvironmentBroke, InputError

CELL = "wire/zlib/zlib~isal/qemu-10.0/capture/mixed/4k/2ch"
WITH = Index(cell=CELL, capture=True, reproduce="run it")


def packed(tmp_path: Path, index: Index = WITH) -> Path:
    """A bundle with a capture of two files."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "manifest.json").write_text("{}")
    (made / "channel-0.bin").write_bytes(b"bytes")
    path = tmp_path / "cell.tar.gz"
    pack(path, index, {"cell.json": "{}"}, None, made if index.capture else None)
    return path


def archive(tmp_path: Path, **files: bytes) -> Path:
    """An archive that somebody else made."""
    path = tmp_path / "theirs.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def refusal(path: Path, tmp_path: Path) -> str:
    with pytest.raises(InputError) as error:
        unpack(path, tmp_path / "there")
    return str(error.value).replace(str(tmp_path), "")


def test_a_capture_comes_out_as_it_went_in(tmp_path: Path) -> None:
    directory = unpack(packed(tmp_path), tmp_path / "there")

    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        "manifest.json": b"{}", "channel-0.bin": b"bytes"
    }  # fmt: skip


def test_nobody_is_named_in_it(tmp_path: Path) -> None:
    with tarfile.open(packed(tmp_path)) as made:
        assert {(member.uid, member.uname, member.mtime) for member in made} == {(0, "", 0)}


def test_one_without_a_capture_says_why_and_what_to_run(tmp_path: Path) -> None:
    without = Index(cell=CELL, capture=False, why="nothing was sent", reproduce="run it")

    said = refusal(packed(tmp_path, without), tmp_path)

    assert said == "/cell.tar.gz: has no capture: nothing was sent; run the cell: run it"


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<html>")

    assert refusal(path, tmp_path).startswith("/page.html: cannot be read as a bundle (gzip, tar): ")


def test_an_archive_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path)
    path.write_bytes(path.read_bytes()[:100])

    assert refusal(path, tmp_path).startswith("/cell.tar.gz: cannot be read as a bundle (gzip, tar): ")


def test_an_archive_without_an_index_is_refused(tmp_path: Path) -> None:
    said = refusal(archive(tmp_path, other=b""), tmp_path)

    assert said == "/theirs.tar.gz: begins with 'other', expected bundle.json"


def test_an_index_of_another_format_is_refused_by_field(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"bundle.json": b'{"format": "multifd-bundle/9", "cell": "a", "capture": true}'})

    said = refusal(path, tmp_path)

    assert "format: " in said and "reproduce: " in said


def test_nothing_but_the_files_of_a_capture_is_unpacked(tmp_path: Path) -> None:
    index = WITH.model_dump_json().encode()
    names = ("capture/manifest.json", "capture/../../out.bin", "/tmp/out.bin", "capture/channel-0.bin.sh")
    path = archive(tmp_path, **{"bundle.json": index}, **dict.fromkeys(names, b"{}"))

    directory = unpack(path, tmp_path / "there")

    assert [file.name for file in directory.iterdir()] == ["manifest.json"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["theirs.tar.gz", "there"]


def test_a_bundle_that_announces_a_capture_has_one(tmp_path: Path) -> None:
    path = archive(tmp_path, **{"bundle.json": WITH.model_dump_json().encode()})

    assert "has no capture/manifest.json, expected one" in refusal(path, tmp_path)


def test_what_it_holds_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_MOST", 6)

    assert refusal(packed(tmp_path), tmp_path) == "/cell.tar.gz: holds more than 6 bytes, expected at most so many"


def test_one_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroke, match="No such file or directory"):
        pack(tmp_path / "nowhere" / "cell.tar.gz", WITH, {}, None, None)
