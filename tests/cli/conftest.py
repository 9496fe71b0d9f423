"""What several tests of the command look at."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of two codecs: four pairings, of which two can be tried in either format."""
    path = tmp_path_factory.mktemp("profile") / "two.yaml"
    path.write_text("description: two\npeers:\n  - codec: zlib\n  - codec: zstd\n")
    return path
