"""The host's package sources: both formats, keyrings, and which of them are the distribution's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import EnvironmentBroke
from multifd.libraries import sources
from multifd.libraries.sources import Release, Source

DEBIAN = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"""
DEB822 = """\
# where this image was made
Types: deb
# a comment between fields
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian.gpg
"""
MAIN = Source(
    ("http://mirror.example/debian",),
    ("bookworm", "bookworm-updates"),
    ("main",),
    "/usr/share/keyrings/debian.gpg",
)


def system(root: Path, release: str = DEBIAN, **files: str) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(release)
    for name, content in files.items():
        (root / "etc/apt" / name).write_text(content)
    return root


def test_a_stanza_is_a_source() -> None:
    first, second = sources.deb822(DEB822)

    assert first == MAIN
    assert second.suites == ("bookworm-security",)


def test_a_stanza_may_carry_its_key_in_full() -> None:
    text = "Types: deb\nURIs: http://a.example\nSuites: sid\nComponents: main\nSigned-By:\n BEGIN\n .\n abc=\n END\n"

    (source,) = sources.deb822(text)

    assert source.signed_by == "\n BEGIN\n .\n abc=\n END"
    assert source.stanza(["sid"]).endswith("Signed-By: \n BEGIN\n .\n abc=\n END\n")


@pytest.mark.parametrize("field", ["Types: deb-src", "Types: deb\nEnabled: no", "Types: deb\nenabled: No"])
def test_sources_of_source_code_and_disabled_ones_do_not_count(field: str) -> None:
    text = f"{field}\nURIs: http://a.example\nSuites: sid\nComponents: main\n"

    assert list(sources.deb822(text)) == []


def test_a_line_is_a_source() -> None:
    line = "deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://mirror.example/debian bookworm main contrib # ours\n"

    (source,) = sources.one_line(line)

    assert source == Source(("http://mirror.example/debian",), ("bookworm",), ("main", "contrib"), "/a.gpg /b.gpg")


@pytest.mark.parametrize("line", ["", "# deb http://a.example sid main", "deb-src http://a.example sid main"])
def test_no_other_line_is_a_source(line: str) -> None:
    assert list(sources.one_line(line)) == []


def test_a_source_that_is_trusted_blindly_is_not_any_more() -> None:
    (source,) = sources.one_line("deb [trusted=yes] http://mirror.example/debian bookworm main")

    assert "rusted" not in source.stanza(["sid"])


words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(st.lists(words, min_size=1, max_size=3), st.lists(words, min_size=1, max_size=3), words)
def test_a_stanza_that_was_written_is_read_back(suites: list[str], components: list[str], keyring: str) -> None:
    source = Source(("http://mirror.example/a",), ("old",), tuple(components), keyring)

    (read,) = sources.deb822(source.stanza(suites))

    assert read == Source(source.uris, tuple(suites), source.components, keyring)


def test_files_of_both_formats_are_read_and_others_are_not(tmp_path: Path) -> None:
    parts = {
        "sources.list": "deb http://one.example/debian bookworm main\n",
        "sources.list.d/a.list": "deb http://two.example/debian bookworm main\n",
        "sources.list.d/b.sources": DEB822,
        "sources.list.d/c.sources.disabled": DEB822,
    }
    root = system(tmp_path, **parts)

    found = [source.uris[0] for source in sources.configured(root)]

    assert found == [
        "http://one.example/debian",
        "http://two.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
    ]


def test_only_the_distributions_own_archive_is_pointed_at_a_newer_suite(tmp_path: Path) -> None:
    third_party = "deb [signed-by=/k.gpg] http://third.example/debian bookworm stable\n"
    parts = {"sources.list.d/debian.sources": DEB822, "sources.list.d/third.list": third_party}

    text = sources.pointed_at(["sid"], system(tmp_path, **parts))

    assert text == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: sid\n"
        "Components: main\n"
        "Architectures: amd64\n"
        "Signed-By: /usr/share/keyrings/debian.gpg\n"
    )


def test_a_host_without_its_own_archive_is_told_what_to_add(tmp_path: Path) -> None:
    root = system(tmp_path, **{"sources.list": "deb http://third.example/debian bookworm stable\n"})

    with pytest.raises(EnvironmentBroke) as error:
        sources.pointed_at(["sid"], root)

    assert str(error.value) == (
        "/etc/apt has no source with component 'main' and suite bookworm; add the distribution's own archive"
        f" to /etc/apt/sources.list, or {sources.ELSEWHERE}"
    )


def test_a_derivative_counts_as_what_it_is_made_from(tmp_path: Path) -> None:
    mint = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n'

    release = Release.of(system(tmp_path, mint))

    assert (release.family, release.codenames) == ("ubuntu", frozenset({"wilma", "noble"}))


def test_another_distribution_is_named_with_the_next_step(tmp_path: Path) -> None:
    root = system(tmp_path, 'PRETTY_NAME="Fedora Linux 42"\nID=fedora\n')

    with pytest.raises(EnvironmentBroke) as error:
        Release.of(root)

    assert str(error.value) == (f"distribution is 'Fedora Linux 42', expected Debian or Ubuntu; {sources.ELSEWHERE}")


def test_a_host_that_does_not_say_what_it_is_is_another_distribution(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroke, match=r"^distribution is 'unknown', expected Debian or Ubuntu; "):
        Release.of(tmp_path)


def test_the_libraries_exist_for_one_architecture() -> None:
    with pytest.raises(EnvironmentBroke) as error:
        sources.check_machine("aarch64")

    assert str(error.value) == (
        "architecture is 'aarch64', expected 'x86_64': libqatzip and libqpl exist for nothing else;"
        " emulated peers run here"
    )
