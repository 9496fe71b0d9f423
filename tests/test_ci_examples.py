"""The examples for CI servers and containers: valid by their formats, and what they call is there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

import bootstrap
from multifd.cli.merge import merge
from multifd.profile.load import shipped

CI: Final = Path(__file__).resolve().parents[1] / "examples/ci"
FORMATS: Final = {"github.yml": "github-workflows.json", "gitlab.yml": "gitlab-ci.json"}
COMMAND: Final = re.compile(r"python3 bootstrap\.py [^\n]*(?:\n +--[^\n]*)*")


def read(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text(encoding="utf-8"))


def values(content: object, name: str) -> Iterator[object]:
    """Everything that goes by this name, wherever it stands."""
    match content:
        case dict():
            for key, value in content.items():
                if str(key).lower() == name:
                    yield from value if isinstance(value, list) else [value]
                yield from values(value, name)
        case list():
            for each in content:
                yield from values(each, name)


@pytest.mark.parametrize("name", FORMATS)
def test_an_example_is_valid_by_the_schema_of_its_format(name: str) -> None:
    text = files("check_jsonschema").joinpath("builtin_schemas/vendor", FORMATS[name]).read_text(encoding="utf-8")

    # YAML 1.1 takes the key `on` for a truth value; the servers do not.
    content = {"on" if key is True else key: value for key, value in read(name).items()}
    jsonschema.validate(content, json.loads(text))


@pytest.mark.parametrize("name", FORMATS)
def test_its_commands_exist_with_their_options(name: str, pytestconfig: pytest.Config) -> None:
    found = COMMAND.findall((CI / name).read_text(encoding="utf-8"))

    assert len(found) == 2
    for command in found:
        _, _, environment, *words = shlex.split(command)
        assert environment in bootstrap.ENVIRONMENTS
        for word in words:
            if word.startswith("--"):
                pytestconfig.getoption(word)


@pytest.mark.parametrize("name", FORMATS)
def test_every_profile_that_it_names_is_there(name: str) -> None:
    named = {str(each) for each in values(read(name), "profile") if "$" not in str(each)}

    assert len(named) == 4
    assert named <= set(shipped())


@pytest.mark.parametrize("name", FORMATS)
def test_its_shards_are_all_of_a_plan(name: str) -> None:
    shards = [str(each) for each in values(read(name), "shard") if "$" not in str(each)]

    assert shards == [f"{number}/{len(shards)}" for number in range(1, len(shards) + 1)]


@pytest.mark.parametrize("name", FORMATS)
def test_what_it_runs_is_merged_whatever_went_wrong(name: str) -> None:
    text = (CI / name).read_text(encoding="utf-8")

    jobs = read(name)
    job = jobs.get("jobs", jobs)["merge"]
    assert {each if isinstance(each, str) else each["job"] for each in job["needs"]} == {"hosted", "lab"}
    assert "always" in str(job.get("when")) or "!cancelled()" in str(job.get("if"))
    assert re.search(rf"multifd {merge.name} build/merged \S*runs/\*$", text, re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """Of the Containerfile, continued lines put together."""
    text = (CI / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_container_runs_as_a_user_without_rights() -> None:
    last = [place for place, (name, _) in enumerate(instructions()) if name == "FROM"][-1]

    users = [rest for name, rest in instructions()[last:] if name == "USER"]
    assert users == ["1000"]
    assert instructions()[-2] == ("ENTRYPOINT", '["multifd"]')


def test_the_container_installs_nothing_from_the_network_that_was_not_built_before() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]

    assert installs
    assert all("--no-index --find-links /wheels" in each for each in installs)


def test_what_the_container_copies_is_there() -> None:
    paths = [word for name, rest in instructions() if name == "RUN" for word in rest.split() if word.startswith("./")]

    assert paths
    assert all((CI.parents[1] / path / "pyproject.toml").is_file() for path in paths)
