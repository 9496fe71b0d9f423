#!/usr/bin/env python3
"""Run a tox environment on a machine that has nothing but Python 3.11: ``python3 bootstrap.py conformance``.

Uses tox if it is there; else makes a private environment for it in ``build/tox``, so that it works where pip is
externally managed. Standard library only. Exit codes: those of tox; 3 if the set-up itself is impossible, or if it is
stopped (SIGINT, SIGTERM).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / "build" / "tox"
TOX = HOME / "bin" / "tox"
ENVIRONMENTS = ("conformance", "tests", "lint")
_VENV = ("venv",)
_APART = ("-I", "-m")
"""A module of Python's own, and not one that lies in the current directory under its name."""


def main(arguments: list[str]) -> int:
    """Parse, set up, run."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        print(f"usage: bootstrap.py {{{'|'.join(ENVIRONMENTS)}}} [pytest arguments]")
        return 0 if arguments else 2
    environment, *rest = arguments
    if environment not in ENVIRONMENTS:
        print(f"bootstrap: {environment!r}: expected one of {', '.join(ENVIRONMENTS)}", file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):
        print(f"bootstrap: this is Python {sys.version.split()[0]}, expected 3.11 or later", file=sys.stderr)
        return 3
    tox = _tox()
    if tox is None:
        return 3
    if rest[:1] != ["--"]:
        rest = ["--", *rest]
    return _run([*tox, "run", "-q", "-e", environment, *rest])


def _run(command: list[str]) -> int:
    """Run it to its end; tox ends what it runs where it is interrupted, and knows no other way to be stopped."""
    stopped: list[int] = []
    # Before it starts: a program that is run in the background is deaf to interruptions unless this is undone.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.append(number))
    with subprocess.Popen(command, cwd=ROOT) as process:
        told = False
        while True:
            try:
                code = process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                # A terminal's Ctrl-C reaches tox by itself.
                if signal.SIGTERM in stopped and not told:
                    process.send_signal(signal.SIGINT)
                    told = True
            else:
                return 3 if stopped else code


def _tox() -> list[str] | None:
    found = shutil.which("tox")
    if found is not None and _works([found]):
        return [found]
    if not _works([str(TOX)]) and not _install():
        return None
    return [str(TOX)]


def _works(tox: list[str]) -> bool:
    """A tox of version 4 that starts."""
    try:
        answer = subprocess.run([*tox, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.startswith("4")


def _install() -> bool:
    print("bootstrap: installing tox into build/tox", file=sys.stderr, flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    if not _venv() and not (_debian_venv() and _venv()):
        print(
            "bootstrap: this Python cannot make virtual environments; run: sudo apt-get install -y python3-venv",
            file=sys.stderr,
        )
        return False
    pip = [str(HOME / "bin" / "python"), *_APART, "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip.append("tox>=4.11")
    if subprocess.call(pip) != 0:
        print("bootstrap: pip could not install tox: see above; is the package index reachable?", file=sys.stderr)
        return False
    return True


def _venv() -> bool:
    made = subprocess.run([sys.executable, *_APART, *_VENV, str(HOME)], capture_output=True, text=True, check=False)
    return made.returncode == 0


def _debian_venv() -> bool:
    """Debian keeps venv in a package of its own; install it if we may."""
    apt = shutil.which("apt-get")
    if apt is None:
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    package = f"python3.{sys.version_info.minor}-venv"
    print(f"bootstrap: installing {package}", file=sys.stderr, flush=True)
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
        try:
            subprocess.run([*as_root, apt, *command], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
