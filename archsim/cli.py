"""The front door: parse, call the study, print. Commands import what they need, so that help is instant."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from archsim import __version__
from archsim.door import FINDINGS, INTERNAL, Door, Listing, format_option, output_option, page, show_findings, warn


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="archsim")
def main() -> None:
    """Where the joules and the nanoseconds of one token go on a machine, and which change would matter."""


def _or_both(ctx: click.Context, argument: click.Parameter, hardware: str | None) -> str:
    """The machine: it may be left out where the workload's file holds both."""
    from archsim.study import files

    workload: str = ctx.params["workload"]
    if hardware is None and not files.holds_both(workload):
        raise click.MissingParameter(ctx=ctx, param=argument, param_hint="'HARDWARE'")
    return hardware or workload


_JOBS = click.option("-j", "--jobs", type=click.IntRange(min=1), help="Processes; one per core where left out.")


def _settings(**given: float | None) -> Iterator[str]:
    """Options of their own for values of the workload, as settings of it."""
    return (f"workload.{name}={value}" for name, value in given.items() if value is not None)


@main.command()
@click.argument("workload")
@click.argument("hardware", required=False, callback=_or_both)
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value, as workload.batch=8.")
@click.option(
    "--fidelity",
    default="flow",
    show_default=True,
    metavar="LEVEL",
    help="How finely time is simulated: flow, tile or chunk.",
)
@click.option(
    "--chunk-bytes",
    "chunk",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Bytes that travel together at tile and chunk; left out, what a tile's double buffer holds of them.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of whatever the workload draws.")
@click.option("--activity", type=click.FloatRange(0, 1), help="Bit activity of the data: 1 is random, 0 is zeros.")
@click.option(
    "--max-events", type=click.IntRange(min=1), metavar="N", help="Stop after so many events; a billion if left out."
)
@click.option("--boundary", metavar="NAME", help="What the joules cover: device, chip, board, server or facility.")
@format_option("What stdout gets: table, json, csv, markdown or html.")
@output_option("Folder to write result.json, the reports, and resolved.yaml, which makes the run again.")
@click.option(
    "--trace", type=click.Path(path_type=Path, dir_okay=False), help="File to write a timeline to, for ui.perfetto.dev."
)
def run(  # noqa: PLR0917 - click passes each option by itself
    workload: str,
    hardware: str,
    sets: tuple[str, ...],
    fidelity: str,
    chunk: int | None,
    seed: int | None,
    activity: float | None,
    max_events: int | None,
    boundary: str | None,
    kind: str,
    output: Path | None,
    trace: Path | None,
) -> None:
    """Simulate WORKLOAD on HARDWARE.

    Both are files, or shipped names (see `archsim list`). A `resolved.yaml`, as -o writes it, is both at once.
    """
    from archsim.study import reporting, running

    report = reporting.chosen(kind)
    finished = running.run(
        workload,
        hardware,
        (*sets, *_settings(seed=seed, activity=activity)),
        fidelity=fidelity,
        chunk=chunk,
        boundary=boundary,
        command=shlex.join(["archsim", *sys.argv[1:]]),
        timeline=trace is not None,
        max_events=max_events,
    )
    text = reporting.rendered(report, finished.result, output, **page())
    if output is not None:
        reporting.write(finished, output, report)
    if trace is not None:
        reporting.write_timeline(finished, trace)
    if kind != "table":
        warn(finished.result.warnings)
    click.echo(text, nl=not text.endswith("\n"))


@main.command(cls=Listing)
@click.option("--workload", "workloads", multiple=True, required=True, metavar="W...", help="Workloads to run.")
@click.option("--hardware", multiple=True, required=True, metavar="H...", help="Machines to run them on.")
@click.option("--baseline", metavar="H", help="The machine that the others are held against; the first where left out.")
@click.option("--fit", is_flag=True, help="Take as many devices as hold the model, where the file has too few.")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value in every cell, as in `run`.")
@click.option("--boundary", metavar="NAME", help="What all joules cover; the widest of the machines' own if left out.")
@click.option("--mixed-boundaries", is_flag=True, help="Compare joules that cover unlike things, and mark them.")
@_JOBS
@output_option("Folder to write report.html, report.md, results.csv and results.json to.", required=True)
def compare(  # noqa: PLR0917 - click passes each option by itself
    workloads: tuple[str, ...],
    hardware: tuple[str, ...],
    baseline: str | None,
    fit: bool,
    sets: tuple[str, ...],
    boundary: str | None,
    mixed_boundaries: bool,
    jobs: int | None,
    output: Path,
) -> None:
    """Simulate every workload on every machine, side by side.

    Exit 1 if no cell has figures.
    """
    from archsim.study.comparing import compare, publishing

    matrix = compare.matrix(compare.Question(workloads, hardware, baseline, sets, fit, mixed_boundaries, boundary))
    warn(matrix.warnings)
    publishing.prepare(output)
    with publishing.progress(len(matrix.cases), shown=sys.stderr.isatty()) as told:
        comparison = compare.compare(matrix, jobs, told)
    files = publishing.publish(comparison, output)
    click.echo(publishing.summary(comparison, **page()), nl=False)
    for refusal in comparison.refusals:
        cell = f"{refusal.workload.argument} on {refusal.machine.argument}"
        click.echo(refusal.defect or f"no figures: {cell}: {refusal.reason}", err=True)
    click.echo("\n".join(f"wrote {path}" for path in files), err=True)
    if any(refusal.defect for refusal in comparison.refusals):
        sys.exit(INTERNAL)
    if not comparison.cells:
        sys.exit(FINDINGS)


@main.command(cls=Listing)
@click.option("--suite", "suites", multiple=True, metavar="NAME...", help="Suites to run, or files; all if left out.")
@format_option("What stdout gets: table, json, csv or markdown; -o writes the page.")
@_JOBS
@output_option("Folder to write the reports to.")
def validate(suites: tuple[str, ...], kind: str, jobs: int | None, output: Path | None) -> None:
    """Hold predictions against measurements.

    Exit 1 if a suite misses what it was recorded to reach.
    """
    from archsim.study.validating import publishing, validate
    from archsim.study.validating.suites import chosen

    publishing.chosen(kind)
    files = chosen(suites)
    if output is not None:
        publishing.prepare(output)
    with publishing.progress(sum(len(file.spec.cases) for file in files), shown=sys.stderr.isatty()) as told:
        validation = validate.validate(files, jobs, told)
    text = publishing.rendered(kind, validation, **page())
    if output is not None:
        click.echo("\n".join(f"wrote {path}" for path in publishing.publish(validation, output)), err=True)
    click.echo(text, nl=False)
    for line in publishing.misses(validation):
        click.echo(line, err=True)
    if not validation.holds:
        sys.exit(FINDINGS)


@main.command(cls=Listing)
@click.argument("devices", nargs=-1, required=True, metavar="DEVICE...")
@click.option(
    "--set",
    "sets",
    multiple=True,
    required=True,
    metavar="NAME...",
    help="Measurement sets: suites of board power by name or file, or CSV files (m, n, k, latency_ms, power_W).",
)
@click.option("--hold", multiple=True, metavar="NAME...", help="Keep path, compute or active at the library's value.")
@output_option("Folder to write the fitted prices, the figures and a picture of the residuals to.")
def calibrate(devices: tuple[str, ...], sets: tuple[str, ...], hold: tuple[str, ...], output: Path | None) -> None:
    """Fit the energy of each DEVICE to measured power.

    Exit 1 where a fit is refused, with the reason.
    """
    from archsim.study.calibrating import calibrate, publishing

    found = calibrate.calibrate(devices, sets, hold)
    for item in found:
        click.echo(publishing.rendered(item, **page()), nl=False)
    refused = [reason for item in found for reason in publishing.refusals(item)]
    for reason in refused:
        click.echo(f"refused: {reason}", err=True)
    if refused:
        sys.exit(FINDINGS)
    if output is not None:
        publishing.prepare(output)
        for item in found:
            click.echo("\n".join(f"wrote {path}" for path in publishing.publish(item, output)), err=True)


@main.command()
@click.argument("files", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Check hardware and workload FILES without simulating.

    Exit 1 if there are findings.
    """
    from archsim.study import checking

    findings = [finding for name in files for finding in checking.findings_of(name)]
    if findings:
        show_findings(findings)
        sys.exit(FINDINGS)
    click.echo(f"{len(files)} file{'s' if len(files) > 1 else ''}: no findings", err=True)


@main.command()
@click.argument("kind", type=click.Choice(["hardware", "workload"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of files, for editors."""
    from archsim.study import schemas

    click.echo(schemas.hardware() if kind == "hardware" else schemas.workload(), nl=False)


@main.command(name="list")
@click.argument("what", type=click.Choice(["hardware", "workloads", "stacks", "suites", "components", "mappers"]))
def list_command(what: str) -> None:
    """List shipped files, or the kinds that files can name."""
    from archsim.study import catalogue

    found, width = tuple(catalogue.entries(what)), max(page()["width"] or 10**6, 60)
    column = max(24, *(len(name) for name, _ in found)) + 1
    for name, text in found:
        click.echo(click.wrap_text(f"{name:<{column}}{text}", width, subsequent_indent=" " * column).rstrip())


@main.command()
@click.argument("name", required=False)
@click.option("--kind", help="Entries of a kind of component, or single figures about one thing.")
@click.option("--node", help="Entries of a process node: `5`, `5 nm`, `TSMC N5`.")
@click.option("--grade", help="Entries with a figure of a grade: measured, published, derived or assumed.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def library(name: str | None, kind: str | None, node: str | None, grade: str | None, form: str) -> None:
    """List the component library, or explain the entry NAME.

    Tells values, ranges, boundaries, grades and sources.
    """
    from archsim.reports import shelf
    from archsim.study import library as catalogue

    found = catalogue.entry(name) if name else catalogue.entries(catalogue.Filter(kind, node, grade))
    drawn = shelf.explained if name else shelf.listing
    click.echo(shelf.as_json(found) if form == "json" else drawn(found, **page()), nl=False)


@main.command()
@click.argument("hardware")
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value, as in `run`.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw the graph into this file.")
def show(hardware: str, sets: tuple[str, ...], svg: Path | None) -> None:
    """Show a machine: graph, components, energy per hop, sources."""
    from archsim.study import showing

    text, picture = showing.machine(hardware, sets, **page())
    if svg is not None:
        showing.write(picture, svg)
    click.echo(text, nl=not text.endswith("\n"))
