"""The house: what every module and file keeps to."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections import Counter
from configparser import ConfigParser
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

LONGEST: Final = 400
"""Lines of a module: as much as one idea needs."""

TRACKED: Final = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
MODULES: Final = [name for name in TRACKED if name.endswith(".py") and "tests" not in Path(name).parts]


def test_no_module_is_too_long() -> None:
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in MODULES}

    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_a_file_name_says_what_is_in_it() -> None:
    names = Counter(Path(name).name for name in TRACKED if name.startswith("multifd/"))

    assert {name for name, times in names.items() if times > 2 and not name.startswith("__")} == set()


def test_every_declared_python_has_an_environment_for_the_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    tox = ConfigParser()
    tox.read(ROOT / "tox.ini")
    [environments] = [name for name in tox.sections() if name.startswith("testenv:tests")]
    assert declared == [f"3.{minor}" for minor in re.findall(r"-py3(\d+)", environments)]
    assert project["requires-python"] == f">={declared[0]}"
    assert f"tests-py{{{','.join(version.replace('.', '') for version in declared)}}}" in tox["tox"]["env_list"]
