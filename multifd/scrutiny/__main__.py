"""``python -m multifd.scrutiny CHECK LIBRARY``: one JSON object per case.

Exit status: 0 all as expected, 1 something is not, 2 usage, 3 the check itself broke, whatever it has observed before.
"""

from __future__ import annotations

import argparse
import traceback
from functools import partial
from importlib import import_module
from typing import Final

from multifd.scrutiny.checks import CHECKS, endurance
from multifd.scrutiny.subject import Subject

_SUBJECTS: Final = {"qatzip": "libqatzip:Libqatzip", "qpl": "libqpl:Libqpl"}


def main() -> int:
    """Run one check."""
    parser = argparse.ArgumentParser(prog="python -m multifd.scrutiny", description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("library", choices=_SUBJECTS)
    parser.add_argument(
        "--calls", type=int, default=endurance.CALLS, help="of the check endurance (default: %(default)s)"
    )
    chosen = parser.parse_args()
    different = 0
    check = partial(endurance.check, calls=chosen.calls) if chosen.check == "endurance" else CHECKS[chosen.check]
    try:
        for observation in check(_subject(chosen.library)):
            print(observation.line(), flush=True)
            different += not observation.ok
    except Exception:
        traceback.print_exc()
        return 3
    return 1 if different else 0


def _subject(library: str) -> Subject:
    # Only the library under scrutiny may be loaded.
    module, _, name = _SUBJECTS[library].partition(":")
    subject: Subject = getattr(import_module(f"multifd.scrutiny.{module}"), name)()
    return subject


if __name__ == "__main__":
    raise SystemExit(main())
