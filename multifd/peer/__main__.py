"""``python -m multifd.peer CODEC [PARAMETER=VALUE ...]``: one of our own codecs as a peer.

With ``--forks`` instead it is a nursery: each peer that it forks goes on from here with arguments of its own.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Final

from multifd.errors import MultifdError
from multifd.peer.forks import serve
from multifd.peer.heap import keep
from multifd.peer.nursery import FORKS
from multifd.peer.server import run
from multifd.peer.turns import take_turns

_LINES: Final = 1
"""``_IOLBF``: a line at a time (setvbuf(3))."""


def main(arguments: list[str]) -> int:
    """Serve; exit 0 after ``quit``, 2 for a wrong codec, parameter or request."""
    keep()
    take_turns()
    if arguments != [FORKS]:
        return peer(arguments)
    given = serve()
    if given is None:
        return 0
    status = peer(given)
    sys.stdout.flush()
    # To take the interpreter apart would copy what all peers share.
    os._exit(status)


def peer(arguments: list[str]) -> int:
    """Serve one codec."""
    # No garbage collection between pages need look at what is loaded.
    gc.freeze()
    try:
        codec, *given = arguments
        parameters = {key: int(value) for key, _, value in (argument.partition("=") for argument in given)}
    except ValueError:
        print("usage: python -m multifd.peer CODEC [PARAMETER=INTEGER ...]", file=sys.stderr)
        return 2
    _keep_stdout()
    try:
        return run(codec, parameters)
    except MultifdError as problem:
        print(f"multifd peer: {problem}", file=sys.stderr)
        return 2


def _keep_stdout() -> None:
    """Replies have stdout to themselves: what a library prints there goes to the log, line by line.

    libqat's messages go to stdout (``osalStdLog``, quickassist/utilities/osal/src/linux/user_space/OsalServices.c,
    qatlib 22.07), among them why a device does not start.
    """
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    libc = ctypes.CDLL(None)
    libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINES, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
