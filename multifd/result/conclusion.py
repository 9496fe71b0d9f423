"""What a run comes to: whether it is complete, and the contract's exit code.

One function decides, for the run and for ``multifd report`` alike; the reports and junit.xml say the same. Of these
rows the first that holds is the exit code:

====  ==========================================  ================================================================
code  what the results hold                       because
====  ==========================================  ================================================================
1     a cell that failed                          it was shown, whatever broke besides
1     a cell that contradicts an answer           what is said of the thread is wrong (multifd/result/questions.yaml)
3     a cell that broke (``error``)               the harness or the host did not let it be checked
3     a cell that was planned and not run         somebody lost it: a filter, a worker that died, an interruption
3     no end, or an interrupted one               what came last is not known: the log was cut off, the disk was full
1     no cell that was checked                    a run in which nothing was checked is not green; a probe checks what
                                                  a peer says of itself, and counts only where probes are all there is
0     anything else                               every cell went as predicted, or is skipped with its remedy
====  ==========================================  ================================================================

A run is complete if it came to its end uninterrupted and no planned cell is left not run. A worker that died is no row
of its own: its cells were run after all and count, or they are left not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from multifd.result.answers import contradicted, contradicting
from multifd.result.record import CONFORMING, Answer, Cell, Results

ExitCode = Literal[0, 1, 3]
PROBE: Final = "probe"
"""The suite that asks each peer what it is."""


class Conclusion(NamedTuple):
    """What a run comes to."""

    complete: bool
    exit_code: ExitCode


def conclude(cells: Iterable[Cell], *, ended: bool, answers: Sequence[Answer] | None = None) -> Conclusion:
    """From all planned cells; ``ended`` says that the run came to its own end, and that is written down.

    Whoever has the ``answers`` that these cells give saves their being found again.
    """
    planned = list(cells)
    verdicts = {cell.verdict for cell in planned}
    complete = is_complete(planned, ended=ended)
    if "fail" in verdicts or (contradicted(planned) if answers is None else contradicting(answers)):
        return Conclusion(complete, 1)
    if "error" in verdicts or not complete:
        return Conclusion(complete, 3)
    return Conclusion(complete, 0 if _checked(planned) else 1)


def is_complete(cells: Iterable[Cell], *, ended: bool) -> bool:
    """The first half of it."""
    return ended and all(cell.verdict != "not-run" for cell in cells)


def exit_code(results: Results, answers: Sequence[Answer] | None = None) -> ExitCode:
    """Of the run that these are the results of; of ``answers`` see :func:`conclude`."""
    return conclude(results.cells, ended=results.run.complete, answers=answers).exit_code


def _checked(cells: Sequence[Cell]) -> bool:
    """Something was looked at that was to be looked at."""
    subject = [cell for cell in cells if cell.suite != PROBE] or cells
    return any(cell.verdict in CONFORMING for cell in subject)
