"""report.md: the part of the report that fits a CI job summary, in GitHub's dialect of Markdown.

Job summaries are limited to 1 MiB, so the failures end after ``FAILURES`` and cells that went as predicted
appear in matrices only.
"""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from multifd.result.content import in_words
from multifd.result.exchange import FAMILIES
from multifd.result.record import Results
from reports import device, integrity, matrix, model, performance, thread, vocabulary

FAILURES: Final = 50
"""Failures and errors that are listed one by one."""


def render(results: Results) -> str:
    """The summary as one Markdown document."""
    broken = model.broken(results)
    return _ENVIRONMENT.get_template("report.md.j2").render(
        run=results.run,
        qemus=model.qemus(results.peers),
        headline=model.headline(results),
        coverage=model.coverage(results.run),
        counts=model.counts(results),
        broken=broken[:FAILURES],
        more=len(broken[FAILURES:]),
        findings=model.findings(results),
        unattributed=model.unattributed(results),
        matrices=model.wire_matrices(results),
        unable=results.unable,
        compared=performance.compared(results),
        thread=thread.thread(results),
        guards=integrity.guards(results),
        proof=device.proof(results.cells),
    )


def _text(value: object) -> str:
    """Prose for a table: one line, nothing in it read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(str(value).split()))


def _code(value: object) -> str:
    """A code span for a table: GitHub splits a row at ``|`` even there, and a backtick would end it."""
    return f"`{' '.join(str(value).split()).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=False,  # Markdown has rules of its own: every value passes `text` or `code`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "text": _text,
        "code": _code,
        "word": vocabulary.word,
        "provenances": matrix.provenances,
        "content": in_words,
        "device": device.said,
        "number": _number,
        "states": thread.states,
    }
    environment.globals |= {
        "VERDICTS": vocabulary.VERDICTS,
        "PROVENANCES": vocabulary.PROVENANCES,
        "NO_QEMU": vocabulary.NO_QEMU,
        "RECORDED": vocabulary.RECORDED,
        "MARKS": vocabulary.MARKS,
        "STATES": vocabulary.STATES,
        "FAMILIES": FAMILIES,
    }
    return environment


_ENVIRONMENT: Final = _environment()
