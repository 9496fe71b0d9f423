"""The codec of ours that stands for a container where any would do: to read a capture, to negotiate, as a sample."""

from __future__ import annotations

from typing import Final

from multifd.framing.container import Container

_OF_CONTAINER: Final = {Container.NONE: "none", Container.ZSTD: "zstd"}


def reference(container: Container) -> str:
    """Its name; zlib knows every container that has no codec of its own."""
    return _OF_CONTAINER.get(container, "zlib")
