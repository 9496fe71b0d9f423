"""The Python packages over vendor libraries (``packages/<name>-py``), which the codecs of their names use."""

from __future__ import annotations

import importlib
from typing import Any

from multifd.errors import EnvironmentBroke


def binding(name: str) -> Any:
    """The package of that name, with its library loaded; raises :class:`EnvironmentBroke` without either."""
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError:
        raise EnvironmentBroke(
            f"codec {name}: the package {name}-py is not installed: pip install packages/{name}-py"
        ) from None
    try:
        package.load()
    except (package.LibraryNotFoundError, package.LayoutError) as problem:
        raise EnvironmentBroke(f"codec {name}: {problem}") from None
    return package
