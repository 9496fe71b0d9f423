"""Entry point of ``multifd``: the commands, and how errors become one line and an exit code."""

from __future__ import annotations

import sys
from typing import Final

import click

from multifd import __version__
from multifd.cli import (
    advise,
    answers,
    bisect,
    bundle,
    captures,
    diff,
    doctor,
    finding,
    history,
    merge,
    peers,
    plans,
    profile,
    record,
    run,
    runs,
    schemas,
    vendor,
    why,
)
from multifd.cli.grouped import Entry, Sections, alike
from multifd.cli.output import say, standard_error, standard_output
from multifd.errors import EnvironmentBroke, HarnessError, MultifdError, unforeseen

CONFORMING: Final = 0
USAGE: Final = 2
ENVIRONMENT: Final = 3


SECTIONS: Final[dict[str, tuple[Entry, ...]]] = {
    "This host": (
        (doctor.doctor, "multifd doctor"),
        (vendor.vendor, "multifd vendor fetch --qemu"),
        (profile.profile, "multifd profile --output lab.yaml"),
    ),
    "What a run would do": (
        (plans.cells, "multifd cells 'negotiation/*' --predicted hazard"),
        (plans.explain, "multifd explain 'negotiation/zlib~zstd/*/live/*'"),
        (why.why, "multifd why qatzip qpl"),
    ),
    "A run": ((run.run, "multifd run --qemu found"),),
    "What it showed": (
        (runs.report, "multifd report build/conformance"),
        (finding.finding, "multifd finding qemu-mask-hides-flag --markdown"),
        (answers.answers, "multifd answers"),
        (bundle.bundle, "multifd bundle negotiation/zlib/zlib~zlib/qemu-10.0~qemu-5.0/live/mixed/4k/2ch"),
    ),
    "What to set": ((advise.advise, "multifd advise --from qemu-7.2 --to qemu-10.0 --back"),),
    "Two runs and more": (
        (diff.diff, "multifd diff before after"),
        (merge.merge, "multifd merge build/whole shard-1 shard-2"),
        (history.history, "multifd history add build/conformance"),
        (bisect.bisect_step, "multifd bisect-step '*/migrate/mixed/4k/2ch' --qemu build/qemu"),
    ),
    "A migration by itself": (
        (record.record, "multifd record --qemu qemu-system-x86_64 capture"),
        (captures.replay, "multifd replay capture --decoder isal"),
        (captures.dissect, "multifd dissect capture --limit 20"),
    ),
    "For other programs": (
        (peers.peer, "multifd peer zlib level=6"),
        (schemas.schema, "multifd schema"),
    ),
}
"""Every command with an example, in the order in which somebody needs them."""


@click.group(
    cls=Sections,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="multifd COMMAND --help says more of each. Completion of names and ids: docs/command.md.",
)
@click.version_option(__version__, prog_name="multifd", message="%(prog)s %(version)s")
def app() -> None:
    """Which QEMU multifd sender works with which receiver, why, and what goes wrong where it does not.

    Exit codes: 0 conforming, 1 not conforming, 2 usage or input, 3 the environment broke.
    """


def main() -> None:
    """Run the command; never a traceback for what the user or the host did."""
    with standard_error():
        sys.exit(_run())


def _run() -> int:
    try:
        with standard_output():
            return app.main(prog_name="multifd", standalone_mode=False) or CONFORMING
    except click.NoSuchOption as problem:
        meant = ", ".join(problem.possibilities or alike(problem)) or "none"
        click.UsageError(f"No such option {problem.option_name!r}; the nearest are {meant}.", problem.ctx).show()
        return USAGE
    except click.ClickException as problem:
        problem.show()
        return USAGE
    except (EnvironmentBroke, HarnessError) as problem:
        say(str(problem))
        return ENVIRONMENT
    except MultifdError as problem:
        say(str(problem))
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
    except Exception as problem:
        say(str(unforeseen(problem)))
    return ENVIRONMENT


if __name__ == "__main__":
    main()
