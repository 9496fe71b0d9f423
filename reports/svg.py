"""The sender x receiver matrix of one framing as a stand-alone SVG, for a README.

The picture brings its own card, so that it is legible on any background, and follows the reader's colour
scheme. Lengths are in SVG user units; the width of text is estimated, since nothing here can measure a font.
"""

from __future__ import annotations

from typing import Final

from multifd.result.record import Results
from reports import model, templating, vocabulary
from reports.fold import folded

CHARACTER: Final = 7.2
"""Estimated width of a character at font size 12: wide enough for the common sans-serif fonts."""
ROW: Final = 26
"""Height of one entry, the gap to the next included."""


def matrix_svg(results: Results, framing: str) -> str:
    """The matrix of ``framing`` in suite "wire", folded, with a legend of the symbols and provenances that it uses.

    Raises ValueError if the suite has no such framing.
    """
    matrices = model.wire_matrices(results)
    if not matrices:
        raise ValueError(f"framing is {framing!r}, but the run has no cells of suite wire, of which a matrix is made")
    if framing not in matrices:
        raise ValueError(f"framing is {framing!r}, expected one of {', '.join(matrices)}")
    matrix = folded(matrices[framing])
    labels = (*matrix.columns, *(row.label for row in matrix.rows))
    used = {place.worst.verdict for place in matrix.places}
    return _ENVIRONMENT.get_template("matrix.svg.j2").render(
        framing=framing,
        matrix=matrix,
        box=(_width(*(vocabulary.word(place.worst) for place in matrix.places)) + 34, ROW),
        left=_width(*(row.label.name for row in matrix.rows)) + 40,
        top=0.75 * _width(*(column.name for column in matrix.columns)) + 62,
        verdicts=[verdict for verdict in vocabulary.VERDICTS if verdict in used],
        provenances=[p for p in vocabulary.PROVENANCES if any(p in label.marks for label in labels)],
    )


def _width(*texts: str) -> float:
    return CHARACTER * max(map(len, texts))


_ENVIRONMENT: Final = templating.for_html(
    {"word": vocabulary.word}, {"VERDICTS": vocabulary.VERDICTS, "PROVENANCES": vocabulary.PROVENANCES}
)
