"""The private apt: what it is told, what is read from it, and how its failures are explained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from multifd.errors import EnvironmentBroke, InputError, MultifdError
from multifd.libraries.apt import Apt, Deb, explained, run
from multifd.libraries.sources import ELSEWHERE

URIS = """\
'http://mirror.example/pool/main/z/zlib/zlib1g_1.3%2b1-4_amd64.deb' zlib1g_1%3a1.3+1-4_amd64.deb 92424 MD5Sum:b9
'http://mirror.example/pool/main/i/intel-qpl/libqpl1_1.9.0-1_amd64.deb' libqpl1_1.9.0-1_amd64.deb 257776 SHA256:8c
'http://mirror.example/pool/main/s/seabios/seabios_1.17.0-1_all.deb' seabios_1.17.0-1_all.deb 158720 SHA256:1d
"""


class Recorder:
    """A runner that keeps the commands and answers each with the same text."""

    def __init__(self, answer: str = "") -> None:
        self.answer = answer
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, command: Sequence[str], directory: Path, seconds: float) -> str:
        self.commands.append(tuple(command))
        return self.answer


def test_everything_apt_reads_and_writes_is_in_its_folder(tmp_path: Path) -> None:
    Apt(tmp_path, "Types: deb\n", runner=Recorder())

    lines = (tmp_path / "apt.conf").read_text().splitlines()
    folders = {line.split()[0]: line.split('"')[1] for line in lines if line.startswith("Dir::")}
    assert all(folder == "/dev/null" or Path(folder).is_relative_to(tmp_path) for folder in folders.values())
    assert {"Dir::State", "Dir::State::Lists", "Dir::State::status", "Dir::Cache"} <= folders.keys()
    assert (tmp_path / "state/status").read_text() == ""
    assert (tmp_path / "sources.list.d/multifd.sources").read_text() == "Types: deb\n"


@pytest.mark.parametrize(
    "setting",
    [
        'APT::Get::AllowUnauthenticated "false";',
        'Acquire::AllowInsecureRepositories "false";',
        'Acquire::AllowDowngradeToInsecureRepositories "false";',
    ],
)
def test_signatures_are_required_whatever_the_host_says(tmp_path: Path, setting: str) -> None:
    Apt(tmp_path, "", runner=Recorder())

    assert setting in (tmp_path / "apt.conf").read_text().splitlines()


def test_no_command_circumvents_a_signature(tmp_path: Path) -> None:
    recorder = Recorder()
    apt = Apt(tmp_path, "", runner=recorder)

    apt.update()
    apt.closure(["libqpl1"])
    apt.download([Deb("libqpl1", "1.9.0-1", "amd64")], tmp_path)

    assert not [command for command in recorder.commands if any("unauth" in part.lower() for part in command)]


def test_a_preferred_suite_is_configured(tmp_path: Path) -> None:
    Apt(tmp_path, "", target="bookworm-backports", runner=Recorder())

    assert (tmp_path / "apt.conf").read_text().endswith('APT::Default-Release "bookworm-backports";\n')


def test_the_closure_is_read_from_the_uris_that_apt_prints(tmp_path: Path) -> None:
    apt = Apt(tmp_path, "", runner=Recorder(URIS))

    debs = apt.closure(["libqpl1"])

    assert debs == (
        Deb("libqpl1", "1.9.0-1", "amd64"),
        Deb("seabios", "1.17.0-1", "all"),
        Deb("zlib1g", "1:1.3+1-4", "amd64"),
    )


POLICY = """\
libqatzip3:
  Installed: (none)
  Candidate: 1.3.1-1
  Version table:
     1.3.1-1 500
libc6-virtual:
  Installed: (none)
  Candidate: (none)
  Version table:
"""


def test_a_package_is_known_where_there_is_a_candidate(tmp_path: Path) -> None:
    recorder = Recorder(POLICY)
    apt = Apt(tmp_path, "", runner=recorder)

    assert apt.known(["libqpl1", "libqatzip3", "libc6-virtual"]) == ("libqatzip3",)
    assert recorder.commands == [
        ("apt-cache", "-c", f"{tmp_path}/apt.conf", "policy", "libqpl1", "libqatzip3", "libc6-virtual")
    ]


def test_exactly_the_versions_that_were_resolved_are_downloaded(tmp_path: Path) -> None:
    recorder = Recorder()
    apt = Apt(tmp_path, "", runner=recorder)

    apt.download([Deb("zlib1g", "1:1.3+1-4", "amd64")], tmp_path)

    assert recorder.commands[-1][-2:] == ("download", "zlib1g=1:1.3+1-4")


EXPLAINED: dict[str, tuple[str, type[MultifdError], str]] = {
    "network": (
        "E: Failed to fetch http://m.example/dists/sid/InRelease  Temporary failure resolving 'm.example'\n",
        EnvironmentBroke,
        "the package mirror cannot be reached: check the network or the proxy in /etc/apt/apt.conf.d,"
        f" or {ELSEWHERE} (apt-get: E: Failed to fetch http://m.example/dists/sid/InRelease  Temporary failure"
        " resolving 'm.example')",
    ),
    "deadline": (
        "timed out after 120 s",
        EnvironmentBroke,
        "the package mirror cannot be reached: check the network or the proxy in /etc/apt/apt.conf.d,"
        f" or {ELSEWHERE} (apt-get: timed out after 120 s)",
    ),
    "disk": (
        "W: warning\nE: You don't have enough free space in /c/archives/.\n",
        EnvironmentBroke,
        "disk is full: free space in /c, or fetch elsewhere with --into DIR"
        " (apt-get: E: You don't have enough free space in /c/archives/.)",
    ),
    "signature": (
        "W: GPG error: NO_PUBKEY 6ED0E7B82643E131\nE: The repository 'm sid InRelease' is not signed.\n",
        EnvironmentBroke,
        "a signature of the mirror cannot be verified: update the package debian-archive-keyring or ubuntu-keyring"
        " (apt-get: E: The repository 'm sid InRelease' is not signed.)",
    ),
    "suite": (
        "E: The repository 'm nosuch Release' does not have a Release file.\n",
        InputError,
        "the mirror in /etc/apt has no such suite or no longer that package: choose another with --suite"
        " (apt-get: E: The repository 'm nosuch Release' does not have a Release file.)",
    ),
    "package": (
        "E: Unable to locate package libqpl1\n",
        InputError,
        "the suite lacks a package that another one needs: choose a newer one with --suite"
        " (apt-get: E: Unable to locate package libqpl1)",
    ),
    "anything else": (
        "E: Sub-process bang\n",
        EnvironmentBroke,
        "apt-get failed: E: Sub-process bang; the command was: apt-get update",
    ),
    "silence": ("", EnvironmentBroke, "apt-get failed: no message; the command was: apt-get update"),
}


@pytest.mark.parametrize("cause", EXPLAINED)
def test_a_failure_names_its_cause_and_the_next_step(cause: str) -> None:
    output, kind, message = EXPLAINED[cause]

    error = explained(("apt-get", "update"), output, Path("/c"))

    assert (type(error), str(error)) == (kind, message)


def test_a_host_without_apt_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroke) as error:
        run(("no-such-apt-get", "update"), tmp_path, 1)

    assert str(error.value) == (f"no-such-apt-get: no such program, expected on Debian and Ubuntu; {ELSEWHERE}")


def test_a_command_beyond_its_deadline_is_ended_with_its_children(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(EnvironmentBroke, match=r"\(sh: timed out: did not end within 0\.4 s\)$"):
        run(("sh", "-c", "exec 3> held; sleep 600 & sleep 600"), tmp_path, 0.4)

    os.set_blocking(held, True)
    # The end of file comes when nobody holds the other end any more.
    assert os.read(held, 1) == b""
    os.close(held)


def test_what_a_command_prints_is_returned(tmp_path: Path) -> None:
    assert run(("sh", "-c", "echo heard; echo unheard >&2"), tmp_path, 10) == "heard\n"
