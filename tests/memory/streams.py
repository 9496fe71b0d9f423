"""How long the streams of an encoder are, page by page; a program, since a vendor library may need a loader of its own.

``python -m tests.memory.streams CODEC [parameter=value ...]`` writes what :func:`sizes` returns.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from multifd.codec import create
from multifd.errors import Unsupported
from multifd.framing.coder import compress_each, need_encoder
from multifd.framing.model import framing
from multifd.memory.corpus import CORPORA

FRAMINGS: Final = ("qpl", "uadk", "zlib-page[window=15]", "zlib-page[window=12]")
"""Those that compress each page by itself."""
GUEST: Final = 5 << 18
"""Bytes of one migration."""


def sizes(codec: str, parameters: dict[str, int], page_size: int = 4096) -> dict[str, list[int]]:
    """Lengths of the streams of a guest filled with ``page-edge``, by framing that the encoder can emit."""
    content = memoryview(CORPORA["page-edge"].of_pages(page_size).content(GUEST, 1))
    pages = [content[at : at + page_size] for at in range(0, GUEST, page_size)]
    found = {}
    for name in FRAMINGS:
        made, container = create(codec, parameters), framing(name).container
        try:
            window = need_encoder(made, container, framing(name).window, streaming=False, reach=page_size)
        except Unsupported:
            continue
        found[name] = [len(stream) for stream in compress_each(made, pages, container, window)]
    return found


if __name__ == "__main__":
    pairs = (argument.split("=") for argument in sys.argv[2:])
    json.dump(sizes(sys.argv[1], {key: int(value) for key, value in pairs}), sys.stdout)
