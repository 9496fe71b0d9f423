"""A host as one text file: what its owner reported or ``multifd doctor --record`` wrote, for any machine to diagnose.

One fact a line; a later line overrides an earlier one about the same thing::

    # a comment
    PATH = CONTENT              a file; ``\\n`` in it is a line end, ``\\r``, ``\\x0c`` or ``\\u2028`` another character
    PATH -> TARGET              a symbolic link; its target need not be there
    PATH MODE [UID:GID]         a node, socket or directory, or who may open the file PATH; root's unless said otherwise
    - PATH                      absent, with all below, although a line above made it
    user NAME UID GID[,GID...] memlock BYTES|unlimited [capabilities NAME[,NAME...]|none]
    listening PATH              a socket that somebody answers
    kernel RELEASE              as ``uname -r`` prints it
    library SONAME VERSION      a shared library that the loader finds

Without ``user`` it is whoever looks; root has all capabilities unless some are named. Where there is no ``library`` at
all, nobody looked for any.

Planted below a folder, it is a host for :class:`multifd.device.sysfs.Host`, of any process: what is no file stands in
:data:`FACTS` there, in the same format. Nodes, sockets and directories are all planted as directories.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from multifd.device.facts import ALL, Facts, Owner, User
from multifd.errors import InputError
from multifd.foreign import whole

FACTS: Final = ".facts"
"""File in the root of a planted host."""
RELEASE: Final = "/proc/sys/kernel/osrelease"
"""File that ``kernel`` stands for."""
_MOST: Final = 16 << 20
"""Bytes of a record."""
_ABSOLUTE: Final = re.compile(r"(/(?!\.\.?(/|$))[^/\s]+)+")
_MODE: Final = re.compile(r"(?P<mode>0?[0-7]{3,4})(?:\s+(?P<uid>\d+):(?P<gid>\d+))?(?:\s+#.*)?")
_USER: Final = re.compile(
    r"(?P<name>\S+)\s+(?P<uid>\d+)\s+(?P<gids>\d+(?:,\d+)*)\s+memlock\s+(?P<memlock>\d+|unlimited)"
    r"(?:\s+capabilities\s+(?P<capabilities>[a-z_]+(?:,[a-z_]+)*))?"
)
_USER_FORM: Final = "user NAME UID GID[,GID...] memlock BYTES|unlimited [capabilities NAME[,NAME...]|none]"
_LINKS: Final = 40
"""As many as the kernel follows (path_resolution(7))."""
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\\": "\\\\"}
_PLAIN: Final = {escape: character for character, escape in _NAMED.items()}
_SPECIAL: Final = re.compile(r"[\\\x00-\x08\n-\x1f\x7f-\x9f\u2028\u2029]|\A\s|\s\Z")
"""What cannot stand in a line as it is, or would be taken for space around the content."""
_ESCAPE: Final = re.compile(r"\\(?:[nr\\]|x[0-9a-f]{2}|u[0-9a-f]{4})")
_SHOWN: Final = 200
"""Characters of a line."""
_UNPLANTABLE: Final = {
    errno.ENOTDIR: "a file stands above it",
    errno.EEXIST: "a file stands there or above it",
    errno.EISDIR: "others stand below it",
    errno.ENAMETOOLONG: "it is too long",
    errno.ELOOP: "its links go round",
}


class RecordedHostError(InputError):
    """A line that cannot be read."""

    def __init__(self, source: str, line: int, text: str, expected: str) -> None:
        self.line = line
        self.expected = expected
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        super().__init__(f"{source}: line {line} is {shown!r}, expected {expected}")


@dataclass(slots=True)
class RecordedHost:
    """Everything that is known of a host, by path."""

    contents: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    listening: set[str] = field(default_factory=set)
    libraries: dict[str, str] = field(default_factory=dict)
    user: User | None = None
    _lines: dict[str, tuple[str, int, str]] = field(default_factory=dict, compare=False, repr=False)
    """For each path, where it stands: the text's source, the line's number, the line."""

    @classmethod
    def read(cls, path: Path) -> RecordedHost:
        """From a file. Raises :class:`RecordedHostError`, and :class:`InputError` for a file that cannot be read."""
        try:
            return cls.parse(whole(path, _MOST).decode(), str(path))
        except RecordedHostError:
            raise
        except (OSError, UnicodeDecodeError, InputError) as problem:
            raise InputError(f"{path}: cannot read: {problem}") from None

    @classmethod
    def parse(cls, text: str, source: str = "recorded host") -> RecordedHost:
        """From text; ``source`` stands in errors. Raises :class:`RecordedHostError`."""
        host = cls()
        for number, line in enumerate(map(str.strip, text.split("\n")), 1):
            try:
                path = host._take(line)
            except _ExpectedError as expected:
                raise RecordedHostError(source, number, line, str(expected)) from None
            if path is not None:
                host._lines[path] = (source, number, line)
        return host

    @property
    def facts(self) -> Facts:
        """What stands in none of its files."""
        return Facts(self.user, dict(self.owners), frozenset(self.listening), dict(self.libraries))

    def lines(self) -> Iterator[str]:
        """The text, from which :meth:`parse` makes the same host."""
        yield from self._fact_lines()
        for path, target in sorted(self.links.items()):
            yield f"{path} -> {target}"
        for path, content in sorted(self.contents.items()):
            word = path == RELEASE and content.split() == [content]
            yield f"kernel {content}" if word else f"{path} = {_escaped(content)}"

    def plant(self, root: Path) -> None:
        """Write it below a folder, which is made if need be.

        Raises :class:`RecordedHostError` for a line that no file system can have beside the others.
        """
        root.mkdir(parents=True, exist_ok=True)
        for path, content in self.contents.items():
            with self._planting(path):
                file = root / self._real(path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content + "\n", encoding="utf-8")
        for path in (*self.owners, *self.listening):
            if path not in self.contents and path not in self.links:
                with self._planting(path):
                    (root / self._real(path)).mkdir(parents=True, exist_ok=True)
        for path, target in self.links.items():
            with self._planting(path):
                place = self._real(path)
                link = root / place
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                # Below the root also with a target that is absolute or climbs too high.
                link.symlink_to(os.path.relpath(_target(f"/{place}", target), f"/{PurePath(place).parent}"))
        with self._planting(f"/{FACTS}"):
            (root / FACTS).write_text("".join(f"{line}\n" for line in self._fact_lines()), encoding="utf-8")

    @contextmanager
    def _planting(self, path: str) -> Iterator[None]:
        """Names the line of a path that cannot be planted."""
        try:
            yield
        except OSError as problem:
            if problem.errno not in _UNPLANTABLE:
                raise
            why = _UNPLANTABLE[problem.errno]
        except ValueError as problem:
            why = str(problem)
        else:
            return
        if path not in self._lines:
            raise InputError(f"{path}: cannot be planted: {why}")
        raise RecordedHostError(*self._lines[path], f"a path that can be beside the others ({why})")

    def _fact_lines(self) -> Iterator[str]:
        if self.user is not None:
            yield f"user {_user_line(self.user)}"
        for soname, version in sorted(self.libraries.items()):
            yield f"library {soname} {version}"
        for path in sorted(self.listening):
            yield f"listening {path}"
        for path, owner in sorted(self.owners.items()):
            yield f"{path} {owner.mode:04o} {owner.uid}:{owner.gid}"

    def _real(self, path: str) -> str:
        """Where a path is planted, from the root: what lies below a link lies where that points."""
        for _ in range(_LINKS):
            link = next((above for above in _above(path) if above in self.links), None)
            if link is None:
                return path.lstrip("/")
            path = _target(link, self.links[link]) + path.removeprefix(link)
        raise InputError(f"{path}: more than {_LINKS} symbolic links, one after another")

    def _take(self, line: str) -> str | None:
        """Take a line; its path, if it is one that is planted."""
        first, _, rest = line.partition(" ")
        rest = rest.strip()
        match first:
            case "" | "#":
                pass
            case _ if first.startswith("#"):
                pass
            case "-":
                self._drop(_path(rest))
            case "user":
                self.user = _user(rest)
            case "listening":
                self.listening.add(_path(rest))
                return rest
            case "kernel":
                self.contents[RELEASE] = _word(rest, "kernel RELEASE")
            case "library":
                soname, _, version = rest.partition(" ")
                self.libraries[_word(soname, "library SONAME VERSION")] = _word(version, "library SONAME VERSION")
            case _:
                self._plain(_path(first), rest)
                return first
        return None

    def _plain(self, path: str, rest: str) -> None:
        """A line that begins with a path."""
        sign, _, value = rest.partition(" ")
        if sign == "=":
            self.links.pop(path, None)
            self.contents[path] = _ESCAPE.sub(lambda found: _unescaped(found[0]), value.strip())
        elif sign == "->":
            self._drop(path)
            self.links[path] = _word(value.strip(), "PATH -> TARGET")
        elif mode := _MODE.fullmatch(rest):
            self.links.pop(path, None)
            self.owners[path] = Owner(int(mode["mode"], 8), int(mode["uid"] or 0), int(mode["gid"] or 0))
        else:
            raise _ExpectedError("PATH = CONTENT, PATH -> TARGET or PATH MODE [UID:GID]")

    def _drop(self, path: str) -> None:
        for kept in (self.contents, self.links, self.owners):
            for known in [known for known in kept if _within(known, path)]:
                del kept[known]
        self.listening = {known for known in self.listening if not _within(known, path)}


class _ExpectedError(Exception):
    """What a line should have been."""


def _above(path: str) -> Iterator[str]:
    """The folders that a path is in, the outermost first."""
    parts = path.split("/")
    return ("/".join(parts[:length]) for length in range(2, len(parts)))


def _target(link: str, target: str) -> str:
    """The path that a link means."""
    return os.path.normpath(PurePath(link).parent / target)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _path(text: str) -> str:
    if not _ABSOLUTE.fullmatch(text):
        raise _ExpectedError("an absolute path without . and .., or user, listening, kernel, library, - or #")
    return text


def _word(text: str, form: str) -> str:
    if not text or len(text.split()) > 1:
        raise _ExpectedError(form)
    return text


def _user(text: str) -> User:
    found = _USER.fullmatch(text)
    named = (found["capabilities"] or "").split(",") if found else []
    if found is None or (not ALL.issuperset(named) and named not in ([""], ["none"])):
        raise _ExpectedError(_USER_FORM)
    uid = int(found["uid"])
    capabilities = ALL if uid == 0 and named == [""] else ALL.intersection(named)
    groups = frozenset(map(int, found["gids"].split(",")))
    unlimited = found["memlock"] == "unlimited" or "cap_ipc_lock" in capabilities
    return User(found["name"], uid, groups, None if unlimited else int(found["memlock"]), capabilities)


def _user_line(user: User) -> str:
    groups = ",".join(map(str, sorted(user.groups)))
    memlock = "unlimited" if user.memlock is None else str(user.memlock)
    plain = ALL if user.uid == 0 else frozenset[str]()
    held = "" if user.capabilities == plain else f" capabilities {','.join(sorted(user.capabilities)) or 'none'}"
    return f"{user.name} {user.uid} {groups} memlock {memlock}{held}"


def _escaped(content: str) -> str:
    return _SPECIAL.sub(lambda found: _escape(found[0]), content)


def _escape(character: str) -> str:
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")


def _unescaped(escape: str) -> str:
    return _PLAIN.get(escape) or chr(int(escape[2:], 16))
