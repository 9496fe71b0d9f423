"""Vendor libraries that a run wants and the host lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from multifd.errors import EnvironmentBroke
from multifd.libraries.find import Library
from multifd.libraries.sources import Release
from multifd.libraries.wish import Wish
from multifd.lineup import libraries
from multifd.lineup.libraries import fetch_missing, missing
from multifd.profile.model import Profile

QPL = Library("qpl", Path("/opt/libqpl.so.1"), None, "profile", (), (2, 36))


def profile(devices: Mapping[str, Any]) -> Profile:
    return Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}], "devices": devices})


def present(monkeypatch: pytest.MonkeyPatch, *found: Library, folder: str | None = None) -> None:
    """These are on the host; with a folder, only for who names it."""

    def search(folders: Sequence[Path]) -> dict[str, Library]:
        return {one.name: one for one in found} if folder is None or Path(folder) in folders else {}

    monkeypatch.setattr(libraries, "libraries", search)


@pytest.mark.parametrize("policy", ["use", "require"])
def test_a_library_that_a_device_wants_is_missing(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch)

    assert missing(profile({"others": {"policy": policy}})) == ["qatzip", "qpl"]


@pytest.mark.parametrize("policy", ["emulate", "skip"])
def test_who_does_without_a_device_misses_nothing(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch)

    assert missing(profile({"others": {"policy": policy}})) == []


def test_what_is_there_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, QPL)

    assert missing(profile({"others": {"policy": "use"}})) == ["qatzip"]


def test_the_folders_of_the_profile_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, QPL, folder="/opt")

    assert missing(profile({"iaa": {"policy": "use", "libraries": ["/opt"]}})) == []
    assert missing(profile({"iaa": {"policy": "use"}})) == ["qpl"]


def test_what_is_missing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, QPL)
    wishes: list[Wish] = []
    said: list[str] = []
    monkeypatch.setattr(libraries, "fetch", lambda wish, progress: wishes.append(wish))
    monkeypatch.setattr(Release, "of", lambda: Release("Debian", "debian", frozenset()))

    fetch_missing(profile({"others": {"policy": "use"}}), said.append)

    assert [wish.packages for wish in wishes] == [("libqatzip3", "libqpl1", "libaccel-config1")]
    assert said == ["the libraries of qatzip are not on this host: fetching them into the user's cache"]


def test_what_cannot_be_fetched_is_said_and_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch)
    said: list[str] = []

    def fetch(wish: Wish, progress: object) -> None:
        raise EnvironmentBroke("no network")

    monkeypatch.setattr(libraries, "fetch", fetch)
    monkeypatch.setattr(libraries, "remedy", lambda codec: "do this" if codec.name == "qatzip" else "do that")
    monkeypatch.setattr(Release, "of", lambda: Release("Debian", "debian", frozenset()))

    fetch_missing(profile({"others": {"policy": "use"}}), said.append)

    assert said[1:] == [
        "cannot fetch them: no network",
        "going on with emulated devices; to have the real libraries: do this; do that",
    ]


def test_where_nothing_is_missing_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch)
    said: list[str] = []

    fetch_missing(profile({}), said.append)

    assert said == []
