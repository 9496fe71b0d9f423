"""Where tests start QEMUs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory with a short name, for a socket's path has at most 107 bytes (unix(7))."""
    with TemporaryDirectory(prefix="multifd-test-") as directory:
        yield Path(directory)
