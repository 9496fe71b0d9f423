"""The peer processes and the migration that the tests of live peers use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from multifd.memory.layout import Script
from tests.migrate.live import Peers, script


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    """Peer processes that every test of a module uses."""
    with closing(Peers()) as peers:
        yield peers


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """Dirty rounds of a small guest."""
    return script(tmp_path_factory.mktemp("script"))
