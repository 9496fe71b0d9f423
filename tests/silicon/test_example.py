"""The example of stand-ins for silicon: what its page says is done, and holds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.silicon.runs import ROOT, Lab

EXAMPLE: Final = ROOT / "examples/silicon"
PAGE: Final = (EXAMPLE / "README.md").read_text(encoding="utf-8")
PLANTING: Final = re.search(r"^\.tox/conformance/bin/python -m (\S+) (\S+)$", PAGE, re.MULTILINE)
RUNNING: Final = re.search(r"^python3 bootstrap.py conformance (.+)$", PAGE, re.MULTILINE)


@pytest.mark.timeout(600)
def test_both_stand_ins_are_proven(tmp_path: Path) -> None:
    assert PLANTING is not None
    module, root = PLANTING.groups()
    lab = Lab(tmp_path, ("QAT", "IAA"))
    content = (EXAMPLE / "profile.yaml").read_text(encoding="utf-8").replace(root, str(lab.root))
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-m", module, lab.root], cwd=ROOT, env=own, check=True)
    run = lab.run(
        yaml.safe_load(content), "suites/wire", "-k", "wire/qpl or wire/qatzip", environment={"PATH": programs}
    )

    assert run.code == 0, run.output
    assert {(work.device, work.verdict) for _, work in run.demanding} == {("QAT", "proven"), ("IAA", "proven")}


def test_the_page_runs_what_it_plants() -> None:
    assert PLANTING is not None
    assert RUNNING is not None
    _, root = PLANTING.groups()

    assert shlex.split(RUNNING[1]) == ["--hwprofile", "examples/silicon/profile.yaml", "--host-root", root]
