"""A place for whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.campaign.runs import CELL, Conformance, OneCell


@pytest.fixture(scope="package", params=[(), ("-n", "2", "--dist", "loadgroup")], ids=["alone", "workers"])
def one_cell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneCell]:
    """A run of one cell that many look at and nobody changes, without workers and with them."""
    with TemporaryDirectory(prefix="multifd-test-") as scratch:
        run = Conformance(tmp_path_factory.mktemp("one-cell"), Path(scratch))
        yield OneCell(run, run.run("--cell", CELL, *request.param))


@pytest.fixture
def conformance(tmp_path: Path) -> Iterator[Conformance]:
    """Its scratch space has a short name, for a socket's path has at most 107 bytes (unix(7))."""
    with TemporaryDirectory(prefix="multifd-test-") as scratch:
        yield Conformance(tmp_path, Path(scratch))
