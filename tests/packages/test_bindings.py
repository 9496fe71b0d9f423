"""The bindings' own tests, run where their libraries can be loaded: often under a newer loader than this process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from multifd.libraries.find import libraries, python_command

PACKAGES = Path(__file__).resolve().parents[2] / "packages"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["qpl", "qatzip"])
def test_a_binding_passes_its_own_tests_with_the_real_library(name: str, tmp_path: Path) -> None:
    library = libraries().get(name)
    if library is None:
        pytest.skip(f"no library for {name} on this host; run: multifd vendor fetch")
    package = PACKAGES / f"{name}-py"
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--basetemp", str(tmp_path / "t")]
    command, environment = python_command(library, [*arguments, str(package / "tests")])
    environment = {**os.environ, **environment}

    ended = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)

    last = ended.stdout.strip().splitlines()[-1]
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    assert " passed" in last and "skipped" not in last, last
