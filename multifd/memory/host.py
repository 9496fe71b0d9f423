"""What the host does to us when we use its files."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from multifd.errors import EnvironmentBroke


class blaming:  # noqa: N801  (used like a function; a generator would cost more than what it is around)
    """Turn an OSError of the block into EnvironmentBroke with ``path`` and the system's own words."""

    __slots__ = ("_path",)

    def __init__(self, path: Path | str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise EnvironmentBroke(f"{self._path}: {error.strerror}") from error
