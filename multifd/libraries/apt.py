"""A private apt: resolves, downloads and verifies packages without root and without touching the system.

Everything apt reads or writes lies in one folder: sources, lists, an archive folder, and a status file that is
empty, so that nothing counts as installed and the closure of dependencies is complete. The host's ``apt.conf.d``
still applies (proxies are there) except for hooks and trust. The settings and their meaning: ``apt.conf(5)``,
``apt-secure(8)``.

A mirror may be a frozen snapshot, whose ``Valid-Until`` has passed; its signature is checked all the same.
``APT::Sandbox::User`` is root because the user ``_apt`` cannot read another user's cache; it changes nothing
for anyone but root.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

from multifd.errors import EnvironmentBroke, InputError, MultifdError
from multifd.libraries.sources import ARCHITECTURE, ELSEWHERE
from multifd.process.run import run as run_to_its_end

_CONF: Final = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
#clear DPkg::Pre-Install-Pkgs;
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{directory}/sources.list.d";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{directory}/state";
Dir::State::Lists "{directory}/lists";
Dir::State::status "{directory}/state/status";
Dir::Cache "{directory}/cache";
"""
_VARIABLES: Final = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
_UPDATE_SECONDS: Final = 120.0
_DOWNLOAD_SECONDS: Final = 600.0
_LOCAL_SECONDS: Final = 60.0

_CAUSES: Final[tuple[tuple[str, type[MultifdError], str], ...]] = (
    (
        r"No space left|enough free space",
        EnvironmentBroke,
        "disk is full: free space in {directory}, or fetch elsewhere with --into DIR",
    ),
    (
        r"NO_PUBKEY|EXPKEYSIG|REVKEYSIG|BADSIG|is not signed|cannot be authenticated",
        EnvironmentBroke,
        "a signature of the mirror cannot be verified: update the package debian-archive-keyring or ubuntu-keyring",
    ),
    (
        r"resolv|[Cc]ould not connect|[Cc]onnection (?:failed|refused|timed out)|[Uu]nreachable|timed out",
        EnvironmentBroke,
        f"the package mirror cannot be reached: check the network or the proxy in /etc/apt/apt.conf.d, or {ELSEWHERE}",
    ),
    (
        r"does not have a Release file|404 +Not Found",
        InputError,
        "the mirror in /etc/apt has no such suite or no longer that package: choose another with --suite",
    ),
    (
        r"Unable to locate package|no installation candidate|Unable to correct problems",
        InputError,
        "the suite lacks a package that another one needs: choose a newer one with --suite",
    ),
)
"""How apt words a cause, who was wrong, and the next step; the first that matches counts."""


@dataclass(frozen=True, order=True)
class Deb:
    """One package as apt resolved it."""

    name: str
    version: str
    architecture: str


class Runner(Protocol):
    """Runs one command to its end and gives its standard output; raises what :func:`run` raises."""

    def __call__(self, command: Sequence[str], directory: Path, seconds: float) -> str:
        """Run ``command`` in ``directory``; ``seconds`` are its deadline."""
        ...


def run(command: Sequence[str], directory: Path, seconds: float) -> str:
    """The real :class:`Runner`.

    Raises :class:`EnvironmentBroke` (no such program, no network, no space, deadline) or :class:`InputError`
    (no such suite or package), each with the next step.
    """
    if shutil.which(command[0]) is None:
        raise EnvironmentBroke(f"{command[0]}: no such program, expected on Debian and Ubuntu; {ELSEWHERE}")
    ended = run_to_its_end(command, _VARIABLES, seconds, directory=directory)
    if ended.stopped == "hung":
        raise explained(command, f"timed out: did not end {ended.within}", directory)
    output, errors = (text.decode(errors="replace") for text in (ended.output, ended.log))
    if ended.status:
        raise explained(command, errors or output, directory)
    return output


def explained(command: Sequence[str], output: str, directory: Path) -> MultifdError:
    """The error for what a failed command printed: cause, next step, and its own words."""
    lines = [line for line in output.splitlines() if line.strip()]
    said = next((line for line in lines if re.match(r"E:|dpkg-deb: error", line)), lines[0] if lines else "no message")
    for words, kind, cause in _CAUSES:
        if re.search(words, output):
            return kind(f"{cause.format(directory=directory)} ({command[0]}: {said})")
    return EnvironmentBroke(f"{command[0]} failed: {said}; the command was: {' '.join(command)}")


class Apt:
    """apt-get with a folder of its own for everything.

    ``sources`` is the content of a ``.sources`` file; ``target`` a suite that is preferred over the others.
    """

    def __init__(self, directory: Path, sources: str, *, target: str | None = None, runner: Runner = run) -> None:
        self._directory = directory
        self._runner = runner
        for part in ("sources.list.d", "state", "lists/partial", "cache/archives/partial"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        (directory / "sources.list.d/multifd.sources").write_text(sources, encoding="utf-8")
        (directory / "state/status").touch()
        prefer = f'APT::Default-Release "{target}";\n' if target else ""
        text = _CONF.format(architecture=ARCHITECTURE, directory=directory) + prefer
        (directory / "apt.conf").write_text(text, encoding="utf-8")

    def update(self) -> None:
        """Fetch and verify the lists of the suites (about 11 MB, only if they changed)."""
        self._apt("update", seconds=_UPDATE_SECONDS)

    def known(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Those of the packages that the suites have."""
        command = ("apt-cache", "-c", str(self._directory / "apt.conf"), "policy", *packages)
        output = self._runner(command, self._directory, _LOCAL_SECONDS)
        # libqpl1:
        #   Installed: (none)
        #   Candidate: 1.9.0-1
        found = set(re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (?!\(none\))", output, flags=re.MULTILINE))
        return tuple(package for package in packages if package in found)

    def closure(self, packages: Sequence[str]) -> tuple[Deb, ...]:
        """The packages and all that they depend on, in order of name."""
        output = self._apt("install", "--print-uris", "--yes", *packages, seconds=_LOCAL_SECONDS)
        # 'http://…/pool/…deb' libqpl1_1.9.0-1_amd64.deb 257776 SHA256:…
        found = re.findall(r"^'\S+' ([^_\s]+)_([^_\s]+)_([^_\s]+)\.deb \d+", output, flags=re.MULTILINE)
        return tuple(sorted(Deb(name, unquote(version), architecture) for name, version, architecture in found))

    def download(self, debs: Sequence[Deb], into: Path) -> dict[str, Path]:
        """Download and verify these packages; their files in ``into``, by package."""
        exact = [f"{deb.name}={deb.version}" for deb in debs]
        self._apt("download", *exact, seconds=_DOWNLOAD_SECONDS, directory=into)
        return {file.name.partition("_")[0]: file for file in into.glob("*.deb")}

    def unpack(self, deb: Path, root: Path) -> None:
        """Unpack one package's files below ``root``; its scripts never run."""
        self._runner(("dpkg-deb", "--extract", str(deb), str(root)), deb.parent, _LOCAL_SECONDS)

    def _apt(self, action: str, *arguments: str, seconds: float, directory: Path | None = None) -> str:
        command = ("apt-get", "-c", str(self._directory / "apt.conf"), "-qq", action, *arguments)
        return self._runner(command, directory or self._directory, seconds)
