"""The probe: what it says about libraries that do not load."""

from __future__ import annotations

from pathlib import Path

from multifd.libraries.find import Library
from multifd.libraries.probe import Probe, probe
from tests.libraries.elves import libc_path


def at(path: Path, name: str = "qatzip", loader: tuple[str, ...] = (), problem: str | None = None) -> Library:
    return Library(name, path, None, "profile", loader, (2, 34), problem)


def test_a_library_that_loads_has_no_problem() -> None:
    assert probe(at(libc_path())) == Probe(None, None)


def test_a_file_that_does_not_load_is_reported_in_the_loaders_words(tmp_path: Path) -> None:
    path = tmp_path / "libqatzip.so.3"
    path.write_text("text")

    assert probe(at(path)).problem == f"OSError: {path}: file too short"


def test_another_library_under_the_same_name_lacks_the_functions() -> None:
    problem = probe(at(libc_path(), "qpl")).problem

    assert problem is not None
    assert problem.endswith("undefined symbol: qpl_get_library_version")


def test_a_loader_that_is_gone_is_reported() -> None:
    assert probe(at(Path("/l"), loader=("/none/ld.so",))).problem == (
        "/l: cannot start '/none/ld.so': No such file or directory"
    )


def test_a_library_known_not_to_load_is_not_tried() -> None:
    assert probe(at(Path("/l"), problem="too new")).problem == "/l: too new"
