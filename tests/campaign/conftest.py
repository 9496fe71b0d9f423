"""A place for whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.campaign.runs import Conformance


@pytest.fixture
def conformance(tmp_path: Path) -> Iterator[Conformance]:
    """Its scratch space has a short name, for a socket's path has at most 107 bytes (unix(7))."""
    with TemporaryDirectory(prefix="multifd-test-") as scratch:
        yield Conformance(tmp_path, Path(scratch))
