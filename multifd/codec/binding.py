"""The Python packages over vendor libraries (``packages/<name>-py``), which the codecs of their names use."""

from __future__ import annotations

import importlib
from typing import Any, Final

from multifd.errors import EnvironmentBroke

VERSION: Final = "0.2.0"
"""Of the packages, that of both: an older one that stayed installed lacks what the codecs ask of it."""


def binding(name: str) -> Any:
    """The package of that name, with its library loaded; raises :class:`EnvironmentBroke` without either."""
    try:
        package = importlib.import_module(name)
    except ModuleNotFoundError:
        raise EnvironmentBroke(
            f"codec {name}: the package {name}-py is not installed: pip install packages/{name}-py"
        ) from None
    if package.__version__ != VERSION:
        raise EnvironmentBroke(
            f"codec {name}: the package {name}-py is {package.__version__}, expected {VERSION}:"
            f" pip install packages/{name}-py"
        )
    try:
        package.load()
    except (package.LibraryNotFoundError, package.LayoutError) as problem:
        raise EnvironmentBroke(f"codec {name}: {problem}") from None
    return package
