"""Help, in the order of use, with an example of each command that works."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from multifd.cli.main import SECTIONS, app
from tests.cli.command import ROOT, multifd

EXAMPLES = [(command, example) for entries in SECTIONS.values() for command, example in entries]

OF_THE_PLAN = ("cells", "explain", "bundle")
"""They want something that the plan has."""


def leaves(command: click.Command) -> list[click.Command]:
    """A command, or those of a group."""
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


def test_sections_stand_in_the_order_of_use_with_their_commands() -> None:
    out = multifd("--help").out

    titles = [line.removesuffix(":") for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Options", *(title for title, entries in SECTIONS.items() if entries)]
    places = [out.index(f"\n  {command.name} ") for command, _ in EXAMPLES]
    assert places == sorted(places)


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", None))
def test_every_command_has_an_example_in_either_help(command: click.Command, example: str) -> None:
    for arguments in (("--help",), (command.name or "", "--help")):
        assert example in " ".join(multifd(*arguments).out.split())


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", None))
def test_every_example_is_one_that_the_command_takes(command: click.Command, example: str) -> None:
    program, name, *arguments = shlex.split(example)
    context = click.Context(app, info_name=program)
    while isinstance(command, click.Group):
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command = found

    command.make_context(name, arguments, parent=context).close()


def test_no_command_is_left_out() -> None:
    assert list(app.commands) == [command.name for command, _ in EXAMPLES]


@pytest.mark.parametrize("arguments", [(), ("history",), ("vendor",)])
def test_no_summary_is_cut(arguments: tuple[str, ...]) -> None:
    assert "..." not in multifd(*arguments, "--help").out.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(("bundle", "-x"), "--"), (("diff", "a", "b", "-f"), "--finding"), (("finding", "--markdwon"), "--markdown")],
)
def test_an_option_that_there_is_not_is_refused_with_those_that_may_be_meant(
    arguments: tuple[str, ...], meant: str
) -> None:
    answer = multifd(*arguments)

    assert (answer.code, answer.out) == (2, "")
    assert re.search(rf"No such option '\S+'; the nearest are {meant}", answer.err)


@pytest.mark.parametrize("command", ["bundle", "profile", "report"])
def test_where_something_is_written_is_o_as_everywhere(command: str) -> None:
    found = next(each for each in app.commands[command].params if "--output" in each.opts)

    assert "-o" in found.opts


@pytest.mark.parametrize("group", ["history", "vendor"])
def test_a_command_of_a_group_that_there_is_not_is_refused_with_the_nearest(group: str) -> None:
    answer = multifd(group, "lsit")

    assert answer.code == 2
    assert "No such command 'lsit'; the nearest are " in answer.err


def of_the_plan() -> list[list[str]]:
    """The words of each example, of the help or of the command's page, that wants a cell or filters them."""
    page = (ROOT / "docs/command.md").read_text(encoding="utf-8")
    shown = dict.fromkeys([*(example for _, example in EXAMPLES), *re.findall(r"`(multifd [^`]+)`", page)])
    words = [shlex.split(example)[1:] for example in shown]
    return [each for each in words if each[0] in OF_THE_PLAN and len(each) > 1 and each[1] != "ID"]


@pytest.mark.parametrize("words", of_the_plan(), ids=" ".join)
def test_what_an_example_wants_of_the_plan_is_there_on_every_host(words: list[str]) -> None:
    name, *wanted = words

    answer = multifd("explain" if name == "bundle" else name, *wanted, "--hwprofile", "emulated", "--qemu", "none")

    assert answer.code == 0, answer.err
    assert name != "bundle" or answer.out.startswith(f"cell       {wanted[0]}\n")


def test_every_command_that_wants_something_of_the_plan_has_such_an_example() -> None:
    assert {name for name, *_ in of_the_plan()} == set(OF_THE_PLAN)


PROTOCOL = ("peer", "schema", "bisect-step")
"""They speak JSON anyway, or to git by their exit codes alone."""


@pytest.mark.parametrize(
    "command",
    [leaf for command, _ in EXAMPLES if command.name not in PROTOCOL for leaf in leaves(command)],
    ids=lambda command: command.name,
)
def test_every_command_speaks_json(command: click.Command) -> None:
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


ONE_NAME = {
    "--results": ("run", "bundle", "finding", "answers", "why", "advise"),
    "--history": ("report", "add", "runs", "cell", "flaky", "first-bad", "coverage", "cost"),
    "--qemu": ("run", "cells", "explain", "why", "bundle", "bisect-step", "record"),
    "--hwprofile": ("run", "cells", "explain", "why", "bundle", "bisect-step"),
    "--memory": ("run", "cells", "explain", "why", "bundle", "bisect-step", "record"),
    "--shard": ("run", "cells"),
}
"""What several commands ask for, and which of them."""


@pytest.mark.parametrize(("option", "commands"), ONE_NAME.items(), ids=ONE_NAME)
def test_what_several_commands_ask_for_has_one_name(option: str, commands: tuple[str, ...]) -> None:
    every = {leaf.name: leaf for command, _ in EXAMPLES for leaf in leaves(command)}

    lacking = [name for name in commands if not any(option in each.opts for each in every[name].params)]
    assert lacking == []


def test_no_option_is_another_name_for_one_that_there_is() -> None:
    given = {name for command, _ in EXAMPLES for leaf in leaves(command) for each in leaf.params for name in each.opts}

    assert given.isdisjoint({"--database", "--dir", "--directory", "--profile", "--out", "--into-file", "--run"})
