"""``python -m multifd.peer CODEC [PARAMETER=VALUE ...]``: one of our own codecs as a peer.

With ``--forks`` instead it is a nursery: each peer that it forks goes on from here with arguments of its own.
"""

from __future__ import annotations

import gc
import os
import sys

from multifd.errors import MultifdError
from multifd.peer.forks import serve
from multifd.peer.heap import keep
from multifd.peer.nursery import FORKS
from multifd.peer.server import run
from multifd.peer.turns import take_turns


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
    try:
        return run(codec, parameters)
    except MultifdError as problem:
        print(f"multifd peer: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
