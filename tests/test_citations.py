"""Citations of other projects: each says of which version it speaks, and all can be listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.citations import citations, irregular, main, tracked


def test_every_cited_file_has_a_version() -> None:
    cited = list(citations())

    assert len(cited) > 200
    assert [str(citation) for citation in cited if not citation.version] == []


def test_an_rfc_is_cited_by_number_and_section() -> None:
    assert any(citation.project == "RFC" for citation in citations())
    assert [each for path in tracked() for each in irregular(path)] == []


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module to be filled; paths are shown from its directory."""
    monkeypatch.setattr("tests.citations.ROOT", tmp_path)
    return tmp_path / "module.py"


def found(source: Path, text: str) -> list[tuple[int, str, str, str]]:
    """Line, project, version and file of each citation in a text."""
    source.write_text(text, encoding="utf-8")
    return [(each.line, each.project, each.version, each.file) for each in citations([source])]


def test_version_stands_behind_a_file_or_behind_a_list(source: Path) -> None:
    text = '"""One (``call``, migration/ram.c, QEMU 9.1).\n\nTwo: ``src/a.c`` and ``src/b.h`` (QATzip 2.0.0)."""\n'

    assert found(source, text) == [
        (1, "QEMU", "9.1", "migration/ram.c"),
        (3, "QATzip", "2.0.0", "src/a.c"),
        (3, "QATzip", "2.0.0", "src/b.h"),
    ]


def test_a_range_of_versions_may_cross_lines_and_comments(source: Path) -> None:
    assert found(source, "# As in migration/ram.c (QEMU\n# 5.0 to 8.2).\n") == [
        (1, "QEMU", "5.0 to 8.2", "migration/ram.c")
    ]


def test_the_name_alone_means_the_file_cited_before(source: Path) -> None:
    text = '"""Of migration/ram.c (QEMU 9.1)."""\n\n# See ram.c, and savevm.c.\n'

    assert found(source, text)[1:] == [(3, "QEMU", "9.1", "ram.c"), (3, "", "", "savevm.c")]


def test_a_documentation_file_of_linux_needs_a_version_too(source: Path) -> None:
    assert found(source, '"""Documentation/ABI/sysfs-x."""') == [(1, "", "", "Documentation/ABI/sysfs-x")]


def test_an_rfc_is_its_own_version(source: Path) -> None:
    assert found(source, '"""RFC 1951, section 3.2.5."""') == [(1, "RFC", "1951", "section 3.2.5")]


@pytest.mark.parametrize("words", ["RFC 1951 section 3.2.5", "RFC 1952 2.3.1", "RFC1951"])
def test_an_rfc_in_another_form_is_irregular(source: Path, words: str) -> None:
    source.write_text(f'"""{words}."""', encoding="utf-8")

    assert list(irregular(source))


def test_the_command_lists_one_projects_citations(capsys: pytest.CaptureFixture[str]) -> None:
    main(["uadk"])

    assert capsys.readouterr().out.splitlines() == [
        "multifd/codec/uadk_emulated.py:3: drv/hisi_comp.c (uadk 2.10)",
        "multifd/evidence/routing.py:18: wd_comp.c (uadk 2.10)",
    ]
