"""Data from peers, vendor libraries and other people's results, made harmless before a page shows it.

Text is made printable; what a file that is linked is called stays below the directory of the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from multifd.result.printable import printable


def made_visible(value: Any) -> Any:
    """The same for every text in plain data of JSON's kinds."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(name)): made_visible(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        if _plain(value):
            return list(value)
        return [printable(each) if type(each) is str else made_visible(each) for each in value]
    return value


def _plain(values: Sequence[Any]) -> bool:
    """All are text that can be shown as it is: of hundreds of thousands that is asked at once."""
    try:
        return "".join(values).isprintable()
    except TypeError:
        return False


def link(path: str) -> str | None:
    """What leads to a file beside the report; None where the path is no path below its directory."""
    parts = path.split("/")
    if not path or "\\" in path or {"", ".", ".."} & set(parts) or printable(path) != path:
        return None
    return "./" + quote(path, safe="/")
