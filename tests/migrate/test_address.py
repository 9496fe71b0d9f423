"""Addresses of peers: what cannot be one is refused before anybody listens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from multifd.errors import EnvironmentBroke
from multifd.memory.scratch import SOCKET_PATH
from multifd.migrate.address import connect, listen


def named(directory: Path, length: int) -> str:
    """An address whose path has so many bytes."""
    return f"unix:{directory}/".ljust(len("unix:") + length, "x")


def test_a_path_may_be_as_long_as_unix_allows() -> None:
    with TemporaryDirectory() as directory:
        server, address = listen(named(Path(directory), SOCKET_PATH), 1)

        connect(address).close()
        server.close()


@pytest.mark.parametrize("open_at", [lambda address: listen(address, 1), connect], ids=["listen", "connect"])
def test_a_path_that_is_longer_is_named_with_the_limit(open_at: object) -> None:
    address = named(Path("/nowhere"), 108)

    with pytest.raises(EnvironmentBroke) as error:
        open_at(address)  # type: ignore[operator]

    assert str(error.value) == f"{address}: path of 108 bytes, expected at most 107 for a socket (unix(7))"


def test_a_letter_may_have_several_bytes() -> None:
    with pytest.raises(EnvironmentBroke) as error:
        connect(f"unix:/{'ä' * 54}")

    assert "path of 109 bytes" in str(error.value)
