"""Groups of commands: with whole summaries, and imported when they are called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

_LONGEST_SUMMARY = 1000
"""Characters; click cuts what is longer."""


class Group(click.Group):
    """A click group whose help has each command's whole first sentence, over several lines."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What click asks for."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=_LONGEST_SUMMARY)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class LateGroup(Group):
    """A group that knows further commands by where they are.

    `elsewhere` has, by a command's name, its module in `cli.commands` and its name there,
    as `module:name`.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted({*super().list_commands(ctx), *self._elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported where it must be; None where there is none."""
        place = self._elsewhere.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f"cli.commands.{module}"), name)
        return command
