"""``python -m multifd.peer CODEC [PARAMETER=VALUE ...]``: one of our own codecs as a peer."""

from __future__ import annotations

import sys

from multifd.errors import MultifdError
from multifd.peer.server import run


def main(arguments: list[str]) -> int:
    """Serve; exit 0 after ``quit``, 2 for a wrong codec, parameter or request."""
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
