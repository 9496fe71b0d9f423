"""What the sources cite of other projects: ``python -m tests.citations [PROJECT ...]`` lists it.

A citation is a file and then, at once, project and version: ``migration/multifd.c (QEMU 10.2)``, or inside parentheses
``migration/multifd.c, QEMU 10.2``; several files may share them. Once a file is cited so, its name alone means the same
until the end of the text file. A known issue has its version in a field. An RFC is its own version:
``RFC 1951, section 3.2.5``.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]

PROJECTS: Final = ("QEMU", "Linux", "QATzip", "qpl", "qatlib", "uadk", "DPDK", "zlib", "CPython")

_FILE: Final = r"(?:(?:[\w*.-]+/)*[\w*.-]+\.(?:c|h|cpp|rst)|Documentation/[\w./-]*\w)\b"
_NAME: Final = rf"(?:{_FILE}|(?:[\w*.-]+/)+[\w*.-]*\w|INSTALL)"
_NUMBER: Final = r"\d+(?:\.\d+)*"
_VERSION: Final = re.compile(
    rf"(?:,|\s\()\s*(?P<project>{'|'.join(PROJECTS)})\s+(?P<version>{_NUMBER}(?:\s+to\s+{_NUMBER})?)"
)
_CITED: Final = re.compile(rf"(?P<files>{_NAME}`*(?:(?:,|\sand|,\sand)\s`*{_FILE}`*)*){_VERSION.pattern}")
_BARE: Final = re.compile(rf"(?<![\w/.-]){_FILE}(?!/)")
_RFC: Final = re.compile(r"\bRFC\s?(?P<number>\d+)(?P<rest>,?(?:\ssections?)?\s[\d.]+\d)?")
_REGULAR_RFC: Final = re.compile(r"RFC \d+(?:, sections? [\d.]+\d)?")


class Text(NamedTuple):
    """A docstring, a comment, a string or a whole document, and the line where it begins."""

    line: int
    words: str
    issue: tuple[str, str] = ("", "")
    """Component and versions of a known issue, for the files that it names without."""


class Citation(NamedTuple):
    """One mention of a file; ``project`` and ``version`` are empty where nobody says them."""

    source: str
    line: int
    project: str
    version: str
    file: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.file} ({self.project} {self.version})"


def citations(paths: Iterable[Path] | None = None) -> Iterator[Citation]:
    """All citations in these text files, by default those that the repository tracks, in order."""
    for path in tracked() if paths is None else paths:
        known: dict[str, Citation] = {}
        for text in texts(path):
            for found in _cited(path.relative_to(ROOT).as_posix(), text):
                name = found.file.rpartition("/")[2]
                first = known.setdefault(name, found) if found.project else known.get(name, found)
                yield found if found.project else found._replace(project=first.project, version=first.version)


def irregular(path: Path) -> Iterator[str]:
    """RFCs that are cited in some other form."""
    for text in texts(path):
        for match in _RFC.finditer(text.words):
            if not _REGULAR_RFC.fullmatch(" ".join(match[0].split())):
                yield f"{path.relative_to(ROOT)}:{_line(text, match.start())}: {match[0]!r}"


def tracked() -> list[Path]:
    """Sources and documentation."""
    command = ["git", "ls-files", "--", "*.py", "*.md", "*.yaml", "*.toml"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names]


@cache
def texts(path: Path) -> tuple[Text, ...]:
    """What a file says to people. What tests compare is not: there, strings other than docstrings are left out."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return tuple(sorted([*_strings(content, docstrings_only="tests" in path.parts), *_comments(content)]))
    if path.parent.name == "known_issues":
        return tuple(_issues(content))
    return (Text(1, content),)


def _strings(source: str, *, docstrings_only: bool) -> Iterator[Text]:
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        match node:
            case ast.Constant(str() as words) if node in docstrings or not docstrings_only:
                yield Text(node.lineno, words)


def _comments(source: str) -> Iterator[Text]:
    """Lines of comment that follow each other belong together."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = [(token.start[0], token.string.lstrip("#")) for token in tokens if token.type == tokenize.COMMENT]
    for _, group in groupby(enumerate(found), lambda item: item[1][0] - item[0]):
        lines = [comment for _, comment in group]
        yield Text(lines[0][0], "\n".join(words for _, words in lines))


def _issues(content: str) -> Iterator[Text]:
    for entry in re.finditer(r"^- .+\n(?: .*\n)*", content, re.MULTILINE):
        component, versions = re.findall(r"^  (?:component|versions): (.+)$", entry[0], re.MULTILINE)
        yield Text(content.count("\n", 0, entry.start()) + 1, entry[0], (component.split()[0], versions))


def _cited(source: str, text: Text) -> Iterator[Citation]:
    """Files in the order in which they are named, those of a list each by itself; then RFCs."""
    named = {bare.start(): (bare[0], *text.issue) for bare in _BARE.finditer(text.words)}
    for match in _CITED.finditer(text.words) if _VERSION.search(text.words) else ():
        version = " ".join(match["version"].split())
        for each in re.finditer(_NAME, match["files"]):
            named[match.start() + each.start()] = (each[0], match["project"], version)
    for at, (file, project, version) in sorted(named.items()):
        yield Citation(source, _line(text, at), project, version, file)
    for rfc in _RFC.finditer(text.words):
        section = " ".join(rfc["rest"].strip(" ,").split()) if rfc["rest"] else "all"
        yield Citation(source, _line(text, rfc.start()), "RFC", rfc["number"], section)


def _line(text: Text, at: int) -> int:
    return text.line + text.words.count("\n", 0, at)


def main(projects: list[str]) -> None:
    """Print what is cited of these projects, or of all."""
    for citation in citations():
        if not projects or citation.project in projects:
            print(citation)


if __name__ == "__main__":
    main(sys.argv[1:])
