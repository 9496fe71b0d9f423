"""Entry point of ``multifd``: the commands, and how errors become one line and an exit code."""

from __future__ import annotations

import sys
from typing import Final

import click

from multifd import __version__
from multifd.cli import (
    answers,
    bisect,
    bundle,
    captures,
    diff,
    doctor,
    history,
    peers,
    plans,
    profile,
    record,
    runs,
    schemas,
    vendor,
)
from multifd.cli.output import standard_output
from multifd.errors import EnvironmentBroke, MultifdError

CONFORMING: Final = 0
USAGE: Final = 2
ENVIRONMENT: Final = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="multifd", message="%(prog)s %(version)s")
def app() -> None:
    """Which QEMU multifd sender works with which receiver, why, and what goes wrong where it does not.

    Exit codes: 0 conforming, 1 not conforming, 2 usage or input, 3 the environment broke.
    """


for command in (
    plans.cells,
    plans.explain,
    captures.replay,
    captures.dissect,
    bundle.bundle,
    record.record,
    runs.report,
    history.history,
    bisect.bisect_step,
    schemas.schema,
    answers.answers,
    diff.diff,
    peers.peer,
    vendor.vendor,
    doctor.doctor,
    profile.profile,
):
    app.add_command(command)


def main() -> None:
    """Run the command; never a traceback for what the user or the host did."""
    try:
        with standard_output():
            sys.exit(app.main(standalone_mode=False) or CONFORMING)
    except click.ClickException as problem:
        problem.show()
        sys.exit(USAGE)
    except EnvironmentBroke as problem:
        print(f"multifd: {problem}", file=sys.stderr)
        sys.exit(ENVIRONMENT)
    except MultifdError as problem:
        print(f"multifd: {problem}", file=sys.stderr)
        sys.exit(USAGE)
    except (KeyboardInterrupt, click.Abort):
        print("multifd: interrupted", file=sys.stderr)
        sys.exit(ENVIRONMENT)


if __name__ == "__main__":
    main()
