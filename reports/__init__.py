"""Renderers: they read results and write reports; of this project they know ``result``, ``advice``, ``comparison`` and
``history``.

``vocabulary`` has the words and symbols, ``matrix`` puts cells in their places, ``model`` turns results into view
models, ``performance`` into figures, ``difference`` two runs into what changed, ``trend`` many into a picture
and ``past`` into what became of each cell;
``html``, ``markdown``, ``junit``, ``tap``, ``allure`` and ``svg`` each write one format of the same; ``filing`` writes
of one finding, and ``markup`` gets text of others into Markdown. The page is made of two parts: what stands in it as
markup (``lacking``, ``sets``, ``methods``) and what a script draws (``catalogue``, packed by ``columns``, with what
``exhibits`` reads of the files beside the results).
"""

from __future__ import annotations

from pathlib import Path

from multifd.comparison.compared import compare
from multifd.result.placing import put
from multifd.result.record import Results
from reports import html, junit, markdown
from reports.difference import difference, lines
from reports.past import Past, of_run

__all__ = ["write"]


def write(
    results: Results,
    directory: Path,
    baseline: Results | None = None,
    output: Path | None = None,
    past: Past | None = None,
) -> Path:
    """Write report.html, report.md and junit.xml into ``output``, or ``directory``; return the path of report.html.

    What the cells left in files is read from ``directory``; report.html shows what changed since ``baseline``, where
    there is one, and what became of each cell in the ``past``, of which the baseline is all where no more is known.

    A reader never sees half a report: each file is written beside its place and then renamed.
    Raises OSError where the directory cannot be made or written.
    """
    place = output or directory
    place.mkdir(parents=True, exist_ok=True)
    put(place / "junit.xml", junit.render(results))
    put(place / "report.md", markdown.render(results))
    since = None if baseline is None else list(lines(difference(compare(baseline, results))))
    if past is None and baseline is not None:
        past = of_run(baseline)
    return put(place / "report.html", html.render(results, directory, since, past))
