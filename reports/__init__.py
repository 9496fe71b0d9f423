"""Renderers: they read results and write reports, and import nothing of this project but ``multifd.result``.

``vocabulary`` has the words and symbols, ``matrix`` puts cells in their places, ``model`` turns results into view
models, ``performance`` into figures; ``html``, ``markdown``, ``junit``, ``tap``, ``allure`` and ``svg`` each write one
format of the same; ``filing`` writes of one finding, and ``markup`` gets text of others into Markdown.
"""

from __future__ import annotations

from pathlib import Path

from multifd.result.record import Results
from reports import html, junit, markdown

__all__ = ["write"]


def write(results: Results, directory: Path) -> Path:
    """Write report.html, report.md and junit.xml into ``directory``; return the path of report.html.

    A reader never sees half a report: each file is written beside its place and then renamed.
    Raises OSError where the directory cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / "junit.xml", junit.render(results))
    _replace(directory / "report.md", markdown.render(results))
    return _replace(directory / "report.html", html.render(results))


def _replace(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
