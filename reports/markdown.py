"""report.md: the part of the report that fits a CI job summary, in GitHub's dialect of Markdown.

Job summaries are limited to 1 MiB, so the failures end after ``FAILURES`` and cells that went as predicted
appear in matrices only.
"""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from multifd.result.record import Results
from reports import integrity, matrix, model, vocabulary

FAILURES: Final = 50
"""Failures and errors that are listed one by one."""


def render(results: Results) -> str:
    """The summary as one Markdown document."""
    broken = model.broken(results)
    return _ENVIRONMENT.get_template("report.md.j2").render(
        run=results.run,
        qemus=model.qemus(results.peers),
        headline=model.headline(results),
        counts=model.counts(results),
        broken=broken[:FAILURES],
        more=len(broken[FAILURES:]),
        findings=model.findings(results),
        unattributed=model.unattributed(results),
        matrices=model.wire_matrices(results),
        unable=results.unable,
        guards=integrity.guards(results),
    )


def _text(value: object) -> str:
    """Prose for a table: one line, nothing in it read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", " ".join(str(value).split()))


def _code(value: object) -> str:
    """A code span for a table: GitHub splits a row at ``|`` even there, and a backtick would end it."""
    return f"`{' '.join(str(value).split()).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


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
    }
    environment.globals |= {
        "VERDICTS": vocabulary.VERDICTS,
        "PROVENANCES": vocabulary.PROVENANCES,
        "NO_QEMU": vocabulary.NO_QEMU,
    }
    return environment


_ENVIRONMENT: Final = _environment()
