"""The command's help: in sections, in the order in which somebody needs them, with an example of each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from multifd.nearest import suggestion

Entry = tuple[click.Command, str]
"""A command, and a line that uses it."""


class Sections(click.Group):
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
                    rows += [(command.name or "", command.get_short_help_str(formatter.width)), ("", example)]
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command that is not there is refused with the nearest ones."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}; {suggestion(args[0], self.commands)}.")
        return super().resolve_command(ctx, args)
