"""The probe: what it says about libraries that do not load."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from multifd.libraries.find import Library
from multifd.libraries.probe import Probe, probe
from multifd.libraries.release import CALLED
from tests.libraries.elves import libc_path

COMPILER: Final = shutil.which("cc")


def at(path: Path, name: str = "qatzip", loader: tuple[str, ...] = (), problem: str | None = None) -> Library:
    return Library(name, path, None, "profile", loader, (2, 34), problem)


def compiled(path: Path, functions: Iterable[str], *needed: Path) -> Path:
    """A library that defines these functions, and needs others."""
    if COMPILER is None:
        pytest.skip("no C compiler to build a library with; remedy: apt install gcc")
    source = "".join(f"int {name}(void) {{ return 0; }}\n" for name in functions)
    command = (COMPILER, "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", str(path), "-Wl,--no-as-needed")
    subprocess.run([*command, *map(str, needed)], input=source, text=True, check=True)
    return path


def test_a_library_that_loads_and_has_what_qemu_calls_has_no_problem(tmp_path: Path) -> None:
    assert probe(at(compiled(tmp_path / "libqatzip.so.3", CALLED["qatzip"]))) == Probe(None, None)


def test_functions_may_be_those_of_a_library_that_it_is_linked_to(tmp_path: Path) -> None:
    real = compiled(tmp_path / "real.so", CALLED["qatzip"][1:])
    shim = compiled(tmp_path / "libqatzip.so.3", CALLED["qatzip"][:1], real)

    assert probe(at(shim)) == Probe(None, None)


def test_a_library_without_a_function_that_qemu_calls_is_reported(tmp_path: Path) -> None:
    path = compiled(tmp_path / "libqatzip.so.3", CALLED["qatzip"][1:])

    assert probe(at(path)).problem == f"{path}: lacks qzInit, which QEMU calls"


def test_a_file_that_does_not_load_is_reported_in_the_loaders_words(tmp_path: Path) -> None:
    path = tmp_path / "libqatzip.so.3"
    path.write_text("text")

    assert probe(at(path)).problem == f"OSError: {path}: file too short"


def test_another_library_under_the_same_name_lacks_the_functions() -> None:
    problem = probe(at(libc_path(), "qpl")).problem

    assert problem is not None
    assert problem.endswith("qpl_wait_job, qpl_fini_job, which QEMU calls")


def test_a_loader_that_is_gone_is_reported() -> None:
    assert probe(at(Path("/l"), loader=("/none/ld.so",))).problem == (
        "/l: cannot start '/none/ld.so': No such file or directory"
    )


def test_a_library_known_not_to_load_is_not_tried() -> None:
    assert probe(at(Path("/l"), problem="too new")).problem == "/l: too new"
