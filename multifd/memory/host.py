"""What the host does to us when we use its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multifd.errors import EnvironmentBroke


@contextmanager
def blaming(path: Path | str) -> Iterator[None]:
    """Turn an OSError of the block into EnvironmentBroke with ``path`` and the system's own words."""
    try:
        yield
    except OSError as error:
        raise EnvironmentBroke(f"{path}: {error.strerror}") from error
