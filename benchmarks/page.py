"""What report.html costs: to make, to carry about, to open, to search, for runs of any size.

The run is made up: peers, framings, dialects and scenarios like those of a real one, every cell with an id, a reason,
sizes and times of its own, one in fifty a hazard and one in two hundred a failure. Each figure stands beside what is
wanted of it:

==========  ===============================================================================================
made        CPU seconds and further memory of this process to make the page of results that are loaded
file        bytes
painted     seconds until something is seen, the browser's own first contentful paint
ready       seconds until the list of all cells answers
filtered    seconds from a choice to the list, the worst of several, as the page's own clock has them
renderer    resident memory of the browser's process that has the page, after all of that
==========  ===============================================================================================

It needs the packages of the extra ``tests`` and a Chromium.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import psutil
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from multifd.errors import InputError
from multifd.result.record import Cell, CpuSeconds, Peer, Results, Run, Seconds, Sides
from reports import html

MIB: Final = 1 << 20
DIALECTS: Final = ("qemu-5.0", "rfc-2023", "qemu-9.0", "qemu-9.1", "qemu-9.2", "qemu-10.0")
FRAMINGS: Final = (
    "none", "zlib", "zstd", "qpl", "uadk", "qatzip", "zlib-page[window=12]", "zlib-page[window=15]", "raw-packet",
    "zlib-packet[window=12]", "zlib-packet[window=15]", "gzip-packet", "4b-packet",
)  # fmt: skip
CORPORA: Final = ("text", "zero", "mixed", "code", "random", "heap", "constant", "sparse", "compressed", "page-edge")
CODECS: Final = ("zlib", "zlib-ng", "isal", "libdeflate", "zstd", "qatzip", "qpl", "qat-emulated", "iaa-emulated")
PEERS: Final = tuple(f"{codec}{more}" for codec in CODECS for more in ("", "[level=9]", "[stream=1]", "[window=12]"))
WANTED: Final = {
    6_430: {"file": 4e6, "painted": 1.0, "ready": 1.0, "filtered": 0.1},
    200_000: {"file": 25e6, "painted": 3.0, "ready": 3.0, "filtered": 0.3, "renderer": 600.0 * MIB, "made": 15.0,
              "memory": 500.0 * MIB},
}  # fmt: skip
CHOICES: Final = (
    "verdict=hazard", "peer=qpl&verdict=pass", "framing=zlib&dialect=qemu-9.1", "text=window", "text=sweep+isal",
    "provenance=emulated", "text=wire/zlib&sender=isal",
)  # fmt: skip
_FILTERED: Final = """choice => new Promise(done => {
  history.replaceState(null, '', '#');
  const begun = performance.now();
  addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))),
                   { once: true });
  location.hash = '#?' + choice;
})"""


def made_up(number: int) -> Results:
    """A run of so many cells."""
    dice = random.Random(1)
    cells = tuple(_cell(k, dice) for k in range(number))
    peers = tuple(
        Peer(name=name, kind="codec", codec=name.partition("[")[0], device=None, provenance=_ran(name),
             version="1.2.3", roles=("sender", "receiver"), capabilities={"windows": [9, 15]})
        for name in PEERS
    )  # fmt: skip
    run = Run(
        id="made-up", started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:10:00+00:00", complete=True,
        profile="auto", host={"cpus": 2}, versions={"multifd": "0"}, command="benchmarks/page.py", plan="0", seed=1,
    )  # fmt: skip
    return Results(run=run, peers=peers, unable=(), findings=(), cells=cells)


def _ran(peer: str) -> Any:
    return "emulated" if "emulated" in peer else "vendor-software" if peer[:2] in ("qa", "qp") else "software"


def _cell(k: int, dice: random.Random) -> Cell:
    sender, receiver, framing = dice.choice(PEERS), dice.choice(PEERS), dice.choice(FRAMINGS)
    old, new, corpus = dice.choice(DIALECTS), dice.choice(DIALECTS), dice.choice(CORPORA)
    suite, scenario = dice.choice((("wire", "capture"), ("integrity", "live"), ("negotiation", f"fault-{k % 90}")))
    size, channels, fill = dice.choice((4096, 16384, 65536)), dice.choice((1, 2, 3, 16)), f"sweep-{k % 32}"
    hazard, failed, refused = k % 50 == 7, k % 200 == 3, k % 4 == 1
    name = (
        f"{suite}/{framing}/{sender}~{receiver}/{old}~{new}/{scenario}/{corpus}/{size >> 10}k/{channels}ch/{fill}/{k}"
    )
    memory = 1_572_864
    reason = f"{receiver} reads what {sender} emits as {framing} (container zlib, window {1 << (9 + k % 7)})"
    ended: dict[str, Any] = {"predicted": "identical", "observed": "identical", "verdict": "pass"}
    if failed:
        ended |= {"verdict": "fail", "kind": "corrupt", "artifacts": (f"exhibits/{name}/pages.json",),
                  "error": f"{k % 97} of 384 pages differ, the first is page {k % 89} of block-0"}  # fmt: skip
    elif hazard:
        ended = {"predicted": "hazard", "observed": "hazard", "verdict": "hazard", "issues": ("made-up",)}
    elif refused:
        ended = {"predicted": "rejected", "observed": "rejected", "verdict": "refused",
                 "error": f"multifd {k % 16}: flags received {k % 64} flags expected 2"}  # fmt: skip
    return Cell(
        id=name, suite=suite, sender=sender, receiver=receiver, framing=framing,
        dialect=old if old == new else f"{old}>{new}", scenario=scenario, corpus=corpus, page_size=size,
        channels=channels, reason=reason, provenance=Sides(sender=_ran(sender), receiver=_ran(receiver)),
        bytes_memory=memory, bytes_wire=int(memory * dice.random()), fill=fill,
        seconds=Seconds(encode=dice.random() / 50, decode=dice.random() / 50, wall=dice.random() / 5),
        cpu_seconds=CpuSeconds(sender=dice.random() / 50, receiver=dice.random() / 50),
        reproduce=f"python3 bootstrap.py conformance --cell '{name}' --qemu qemu-system-x86_64", **ended,
    )  # fmt: skip


def made(results: Results, path: Path) -> dict[str, float]:
    """Make the page and write it."""
    before, begun = _most_resident(), time.process_time()
    text = html.render(results, path.parent)
    spent, more = time.process_time() - begun, _most_resident() - before
    path.write_text(text, encoding="utf-8")
    return {"made": spent, "memory": max(more, 0.0), "file": path.stat().st_size}


def _most_resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def read(path: Path, program: str) -> dict[str, float]:
    """Open it and search in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        begun = time.monotonic()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        ready = time.monotonic() - begun
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN") / 1000
        filtered = [page.evaluate(_FILTERED, choice) / 1000 for choice in CHOICES]
        found = {"painted": painted, "ready": ready, "filtered": max(filtered),
                 "filtered, median": statistics.median(filtered), "renderer": _renderer(page)}  # fmt: skip
        browser.close()
    return found


def _renderer(page: Page) -> float:
    """Resident memory of the largest renderer below this process."""
    page.wait_for_timeout(500)
    below = psutil.Process().children(recursive=True)
    return max((each.memory_info().rss for each in below if "--type=renderer" in each.cmdline()), default=0)


def _said(name: str, value: float) -> str:
    if name in ("file", "memory", "renderer"):
        return f"{value / MIB:,.1f} MiB"
    return f"{value:,.2f} s"


@click.command()
@click.option("--cells", "sizes", type=click.IntRange(min=1), multiple=True, default=tuple(WANTED), show_default=True)
@click.option("--chromium", default=shutil.which("chromium") or "chromium", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def main(sizes: tuple[int, ...], chromium: str, as_json: bool) -> None:
    """Measure pages of runs of these numbers of cells."""
    if shutil.which(chromium) is None:
        raise InputError(f"--chromium is {chromium!r}, expected a program; remedy: apt install chromium")
    ratios: dict[str, float] = {}
    table = Table("cells", "what", "measured", "wanted")
    for size, name, value in _measured(sizes, chromium):
        wanted = WANTED.get(size, {}).get(name)
        table.add_row(f"{size:,}", name, _said(name, value), f"at most {_said(name, wanted)}" if wanted else "")
        if wanted:
            ratios[f"{name}, {size} cells"] = value / wanted
    print(json.dumps({"ratios": ratios})) if as_json else Console().print(table)


def _measured(sizes: tuple[int, ...], chromium: str) -> Iterator[tuple[int, str, float]]:
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "report.html"
            for name, value in made(made_up(size), path).items():
                yield size, name, value
            for name, value in read(path, chromium).items():
                yield size, name, value


if __name__ == "__main__":
    main()
