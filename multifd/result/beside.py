"""A log and the results beside it: somebody may have changed either, the log is what counts, and that is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from multifd.errors import InputError
from multifd.result import store
from multifd.result.record import Results, Run


def disagreement(logged: Results, path: Path) -> str | None:
    """What ``results.json`` has otherwise than the log that these results were read from; None if nothing.

    ``path`` is what they were read from. Findings and answers follow from the cells by what this version knows of them,
    and are not compared.
    """
    directory = path.parent if path.name == store.EVENTS else path
    if not (directory.is_dir() and store.has_log(directory)) or store.is_written(logged, directory):
        return None
    try:
        found = store.written(directory)
    except InputError as problem:
        return f"{directory / store.EVENTS} is read, not the {store.RESULTS} beside it: {problem}"
    said = next(_differences(found, logged), None) if found is not None else None
    return f"{directory / store.EVENTS} is read; {store.RESULTS} beside it has {said}" if said is not None else None


def _differences(written: Results, logged: Results) -> Iterator[str]:
    for name in Run.model_fields:
        one, other = getattr(written.run, name), getattr(logged.run, name)
        if one != other:
            yield f"run.{name} {one!r}, and not {other!r}"
    for was, now in zip(written.cells, logged.cells, strict=False):
        if was != now:
            differ = (name for name in type(was).model_fields if getattr(was, name) != getattr(now, name))
            name = next(differ)
            yield f"{name} {getattr(was, name)!r} in {now.id}, and not {getattr(now, name)!r}"
    for name in ("cells", "peers", "unable"):
        if getattr(written, name) != getattr(logged, name):
            yield f"other {name}"
