"""The frame of the front door: what a command raises becomes diagnostics and an exit code."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, TypedDict, TypeVar

import click

from archsim.config.diagnostics import Diagnostic, InputError, render
from archsim.study.ending import Terminated, ending_on_request
from archsim.study.garbage import collect_rarely

FINDINGS, BAD_INPUT, INTERNAL, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143

_WIDEST = 10_000
"""Columns of a page: a wider one would take memory, and show nothing more."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Door(click.Group):
    """Turns what a command raises into diagnostics on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        collect_rarely()
        try:
            with ending_on_request():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except Terminated:
            click.echo("terminated", err=True)
            ctx.exit(TERMINATED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click answers these: with usage, with silence where nobody reads stdout any more
        except Exception as error:  # noqa: BLE001 - the door is where any error becomes an exit code
            _leave(ctx, error)


def _leave(ctx: click.Context, error: Exception) -> NoReturn:
    if isinstance(error, InputError):
        show_findings(error.diagnostics)
        ctx.exit(BAD_INPUT)
    if isinstance(error, OSError):
        click.echo(f"error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
        ctx.exit(BAD_INPUT)
    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo("error: this is a defect of archsim, not of your files; please report it with the lines above", err=True)
    ctx.exit(INTERNAL)


class Page(TypedDict):
    """What a page is laid out for."""

    width: int | None
    color: bool


def page() -> Page:
    """The terminal that reads stdout; a file or another program gets COLUMNS, else the usual width, and no colours."""
    if not sys.stdout.isatty():
        asked = os.environ.get("COLUMNS", "")
        return {"width": min(int(asked), _WIDEST) if asked.isdecimal() else None, "color": False}
    return {"width": shutil.get_terminal_size().columns, "color": True}


def show_findings(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings to stderr."""
    click.echo("\n\n".join(render(diagnostic) for diagnostic in diagnostics), err=True)


def warn(warnings: Iterable[str]) -> None:
    """Print warnings to stderr."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


class Listing(click.Command):
    """A command whose options take several values: `--hardware A B` is `--hardware A --hardware B`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        several = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        spread: list[str] = []
        for given in args:
            repeats = not given.startswith("-") and len(spread) > 1 and spread[-2] in several
            spread += [spread[-2], given] if repeats else [given]
        return super().parse_args(ctx, spread)


def output_option(what: str, *, required: bool = False) -> Callable[[_Command], _Command]:
    """The option that names a folder to write to."""
    folder = click.Path(path_type=Path, file_okay=False)
    return click.option("-o", "--output", required=required, type=folder, help=what)


def format_option(what: str) -> Callable[[_Command], _Command]:
    """The option that says what stdout gets."""
    return click.option("--format", "kind", default="table", show_default=True, metavar="KIND", help=what)
