"""How the templates of this package are read: every one strictly, and each kind of text safe by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from multifd.result.printable import printable
from reports import markup

Filters = Mapping[str, Callable[..., Any]]


def for_html(filters: Filters | None = None, names: Mapping[str, Any] | None = None) -> Environment:
    """HTML and SVG: text is escaped, and has no characters that cannot be seen; these filters and names beside."""
    return _environment(filters or {}, names or {}, autoescape=True, finalize=_shown)


def for_markdown(filters: Filters | None = None, names: Mapping[str, Any] | None = None) -> Environment:
    """Markdown has rules of its own: every value passes ``text``, ``code`` or ``block``; these filters beside."""
    safe: dict[str, Callable[..., Any]] = {"text": markup.text, "code": markup.code, "block": markup.block}
    return _environment(safe | dict(filters or {}), names or {}, autoescape=False, keep_trailing_newline=True)


def _environment(filters: Filters, names: Mapping[str, Any], **how: Any) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, **how
    )
    environment.filters |= dict(filters)
    environment.globals |= dict(names)
    return environment


def _shown(value: Any) -> Any:
    return printable(value) if type(value) is str else value
