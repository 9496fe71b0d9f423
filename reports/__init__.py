"""Renderers: they read results and write reports; of this project they know ``multifd.result`` and ``multifd.advice``.

``vocabulary`` has the words and symbols, ``matrix`` puts cells in their places, ``model`` turns results into view
models, ``performance`` into figures; ``html``, ``markdown``, ``junit``, ``tap``, ``allure`` and ``svg`` each write one
format of the same; ``filing`` writes of one finding, and ``markup`` gets text of others into Markdown. The page is made
of two parts: what stands in it as markup (``lacking``, ``sets``, ``methods``) and what a script draws (``catalogue``,
packed by ``columns``, with what ``exhibits`` reads of the files beside the results).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from multifd.result.record import Results
from reports import html, junit, markdown

__all__ = ["write"]


def write(results: Results, directory: Path, since: Sequence[html.Since] | None = None) -> Path:
    """Write report.html, report.md and junit.xml into ``directory``; return the path of report.html.

    What the cells left in files is read from ``directory``; ``since`` is what changed since an earlier run.

    A reader never sees half a report: each file is written beside its place and then renamed.
    Raises OSError where the directory cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / "junit.xml", junit.render(results))
    _replace(directory / "report.md", markdown.render(results))
    return _replace(directory / "report.html", html.render(results, directory, since))


def _replace(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
