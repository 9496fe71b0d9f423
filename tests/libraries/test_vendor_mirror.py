"""From the host's own mirror to a library that is loaded: once, for real."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from multifd.cli.vendor import vendor
from multifd.errors import EnvironmentBroke, InputError
from multifd.libraries import find, wish
from multifd.libraries.apt import run
from multifd.libraries.cache import Tree
from multifd.libraries.fetch import fetch
from multifd.libraries.sources import NEWEST, Release
from multifd.process.run import run as run_to_its_end


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    def bounded(command: Sequence[str], directory: Path, seconds: float) -> str:
        return run(command, directory, min(seconds, 18))

    try:
        suite = NEWEST[Release.of().family]
        yield fetch(wish.libraries(suite), tmp_path_factory.mktemp("vendor"), runner=bounded)
    except (EnvironmentBroke, InputError) as problem:
        pytest.skip(f"vendor libraries cannot be fetched here: {problem}")


@pytest.mark.parametrize("name", ["qpl", "qatzip"])
def test_a_fetched_library_loads_beside_the_packages_of_this_environment(fetched: Tree, name: str) -> None:
    library = find.libraries([fetched.root])[name]
    program = "import sys, ctypes, numpy, pydantic, multifd; ctypes.CDLL(sys.argv[1]); print(sys.prefix)"

    command, environment = find.python_command(library, ("-c", program, str(library.path)))
    ended = run_to_its_end(command, environment, 30, directory=Path("/"))

    assert (ended.status, ended.log) == (0, b"")
    assert ended.output.decode().strip() == sys.prefix


def test_what_was_fetched_is_listed_with_its_versions(fetched: Tree) -> None:
    result = CliRunner().invoke(vendor, ["list", "--json", str(fetched.root)])

    first = {one["name"]: one for one in reversed(json.loads(result.stdout)["libraries"])}
    assert {name: (one["version"], one["origin"], one["problem"]) for name, one in first.items()} == {
        "qpl": (fetched.version("libqpl1"), "profile", None),
        "qatzip": (fetched.version("libqatzip3"), "profile", None),
    }
