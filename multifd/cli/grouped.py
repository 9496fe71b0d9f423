"""The command's help: in sections, in the order in which somebody needs them, with an example of each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from multifd.nearest import nearest, suggestion

Entry = tuple[click.Command, str]
"""A command, and a line that uses it."""


_WHOLE: Final = 1000
"""Characters of a summary: its first sentence, however long."""


def summary(command: click.Command) -> str:
    """The first sentence of its help, whole: what is cut says nothing."""
    return command.get_short_help_str(_WHOLE)


def alike(problem: click.NoSuchOption) -> list[str]:
    """Options that somebody may have meant by one that there is not: of a letter those that begin with it."""
    if problem.ctx is None:
        return []
    there = [each for given in problem.ctx.command.get_params(problem.ctx) for each in given.opts]
    options = [each for each in there if each.startswith("--")]
    letter = problem.option_name.lstrip("-")[:1]
    return [each for each in options if each[2:].startswith(letter)] or list(nearest(problem.option_name, options))


class Plain(click.Group):
    """Commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they are written."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each with its summary."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(command)) for name, command in self.commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command that is not there is refused with the nearest ones."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}; {suggestion(args[0], self.commands)}.")
        return super().resolve_command(ctx, args)


class Sections(Plain):
    """Commands by section."""

    def __init__(self, *, sections: Mapping[str, Sequence[Entry]], **given: Any) -> None:
        super().__init__(**given)
        self._sections = sections
        for command, example in (entry for entries in sections.values() for entry in entries):
            command.epilog = f"Example: {example}"
            self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the sections."""
        return [command.name or "" for entries in self._sections.values() for command, _ in entries]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Below each command its example."""
        for title, entries in self._sections.items():
            if not entries:
                continue
            with formatter.section(title):
                rows = []
                for command, example in entries:
                    rows += [(command.name or "", summary(command)), ("", example)]
                formatter.write_dl(rows)
