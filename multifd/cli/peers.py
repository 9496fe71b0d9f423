"""``multifd peer``."""

from __future__ import annotations

import sys

import click

from multifd.errors import InputError
from multifd.peer.server import run


@click.command()
@click.argument("codec")
@click.argument("parameters", nargs=-1, metavar="[NAME=NUMBER]...")
def peer(codec: str, parameters: tuple[str, ...]) -> None:
    """Serve one of our codecs as a peer: JSON lines on stdin and stdout (docs/peer-contract.md).

    CODEC is none, zlib, zlib-ng, isal, libdeflate or zstd; its parameters follow: level=6 window=12.
    """
    given: dict[str, int] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        try:
            given[name] = int(value)
        except ValueError:
            raise InputError(f"parameter {parameter!r}: expected NAME=NUMBER, such as level=6") from None
    sys.exit(run(codec, given))
