"""Files of others: what is no file is not waited for, and what has no end is not read to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from multifd.errors import InputError
from multifd.foreign import whole


def test_a_file_is_read_up_to_the_last_byte_that_it_may_have(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    assert whole(tmp_path / "file", 5) == b"12345"


def test_one_byte_more_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(2049))

    with pytest.raises(InputError, match="has more than 2 KiB"):
        whole(tmp_path / "file", 2048)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused_through_a_link_too(device: str, tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(device)

    with pytest.raises(InputError, match="is no regular file"):
        whole(tmp_path / "file", 10)


def test_a_pipe_that_nobody_writes_into_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="is no regular file"):
        whole(tmp_path / "pipe", 10)


@pytest.mark.parametrize("name", ["nothing", ""])
def test_what_cannot_be_opened_is_the_hosts_own_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No such file|Is a directory"):
        whole(tmp_path / name, 10)
