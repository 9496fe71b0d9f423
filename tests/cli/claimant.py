"""A peer that says it runs on QAT hardware, and is our model of it: ``claimant.py [PARAMETER=VALUE]``."""

from __future__ import annotations

import sys

from multifd.codec import create
from multifd.peer import contract
from multifd.peer.server import PeerServer


class Claimant(PeerServer):
    """Our emulated QAT under a false flag."""

    def introduce(self, request: contract.Hello) -> contract.Introduction:
        return super().introduce(request).model_copy(update={"provenance": "hardware"})


if __name__ == "__main__":
    parameters = {name: int(value) for name, _, value in (each.partition("=") for each in sys.argv[1:])}
    sys.exit(Claimant(create("qat-emulated", parameters), "claimant", sys.stdout).serve(sys.stdin))
