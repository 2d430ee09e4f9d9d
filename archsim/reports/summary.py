"""What a reader is told first and in which words; terminal and Markdown only lay it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archsim.model.conversion import beyond
from archsim.model.pricing import LOW_ACTIVITY, grouped
from archsim.model.result import TIMED_ACTIONS, Result
from archsim.model.uncertainty import Band, dominant
from archsim.model.workload import Format, Workload
from archsim.reports.apart import told as told_apart
from archsim.reports.headline import headline
from archsim.reports.quantities import NOTHING, counted, interval, memory, number, percent, percentages, same, si

NAMES = {"dram": "DRAM", "sram": "SRAM", "kv": "KV"}


class Figure(NamedTuple):
    """One number of the headline: what it is of, and what to know beside it."""

    value: str
    label: str
    detail: str = ""


class Share(NamedTuple):
    """A part of the joules of one token."""

    name: str
    joules: float
    fraction: float
    percent: str


class Part(NamedTuple):
    """A component over the run: its instances, the share of time in use, bytes per token, and what it holds.

    What carries bytes and yet takes no time has no limit of its rate, so no share of it is in use; nor of
    anything in a run that takes none.
    """

    name: str
    instances: int
    busy: float
    used: str
    traffic: str
    holds: str


class Note(NamedTuple):
    """What the figures rest on."""

    label: str
    text: str


def asked(result: Result) -> str:
    """The workload in one line, its name aside."""
    workload = result.workload
    dtypes = workload.dtypes
    experts = f" (experts {_format(dtypes.experts)})" if dtypes.experts else ""
    stored = f"weights {_format(dtypes.weights)}{experts}, KV {_format(dtypes.kv)}, activations {dtypes.activations}"
    return " · ".join((f"batch {workload.batch}", *_lengths(workload), stored))


def _lengths(workload: Workload) -> tuple[str, ...]:
    """Tokens in and out of each sequence."""
    if served := workload.service:
        requests = f"served: prompts of {served.prompt_tokens}, answers of {served.output_tokens} tokens"
        return requests, counted(workload.output_tokens, "step")
    prompt = counted(workload.prompt_tokens, "prompt token") + (" (cached)" if workload.prompt_cached else "")
    return prompt, counted(workload.output_tokens, "output token")


def built(result: Result) -> str:
    """The machine in one line, its name aside."""
    hardware, plan = result.hardware, result.plan
    degrees = [f"{name.replace('_', ' ')} {degree}" for name, degree in plan.parallel.items() if degree > 1]
    limit = "" if hardware.tdp is None else f" of {si(hardware.tdp, 'W')} TDP"
    return " · ".join(
        (
            hardware.hardware_class,
            ", ".join((counted(hardware.devices, "device") + limit, *degrees)),
            f"{counted(plan.in_flight, 'sequence')} in flight",
            f"stack {hardware.stack}",
            f"boundary {result.machine.boundary}",
        )
    )


def figures(result: Result) -> tuple[Figure, ...]:
    """Joules, time, rates and watts."""
    first, prompt = headline(result), result.latency.ttft_s
    joules = first.per_token
    known = same(joules.low, joules.high)
    return (
        Figure(si(joules.value, "J"), _whose(result), "" if known else interval(joules.low, joules.high, "J")),
        *(() if prompt is None else (_prompt(result, prompt),)),
        _pace(result),
        Figure(number(first.tokens_per_s_per_user), "tokens/s per user"),
        Figure(number(first.tokens_per_s), "tokens/s in total"),
        _power(result),
    )


def _whose(result: Result) -> str:
    """What the joules are of: an answer of a single token is the end of its prompt."""
    return "per token" if result.workload.decode_steps else "per prompt"


def _prompt(result: Result, seconds: float) -> Figure:
    taken = result.workload.batch * result.workload.prompt_tokens
    return Figure(si(seconds, "s"), "to first token", f"{number(taken / seconds)} tokens/s" if seconds else "")


def _pace(result: Result) -> Figure:
    latency = result.latency
    if latency.tpot_s is None:
        return Figure(si(latency.total_s, "s"), "in total")
    slowest = latency.tpot_p99_s
    steady = slowest is None or same(latency.tpot_p50_s, slowest)
    return Figure(si(latency.tpot_s, "s"), "per token", "" if steady else f"p99 {si(slowest or 0.0, 's')}")


def _power(result: Result) -> Figure:
    first = headline(result)
    each = () if result.hardware.devices == 1 or first.device_w is None else (f"{si(first.device_w, 'W')} each",)
    where = "" if beyond(result).value == 1.0 else f" at the {result.hardware.boundary}"
    limit = () if first.tdp_share is None else (f"{percent(first.tdp_share)} of TDP{where}",)
    after = max((item.after_s for item in result.slowed), default=0.0)
    settled = f" after {si(after, 's')}" if after else ""
    held = (f"held to its limit{settled}",) if result.slowed else ()
    return Figure(si(first.average_w, "W"), "average power", ", ".join((*each, *limit, *held)))


def breakdowns(result: Result, limit: int | None = None) -> tuple[tuple[str, tuple[Share, ...]], ...]:
    """The joules of one token three times over, each time divided by something else."""
    parts = {"kind": result.by_kind(), "tensor": result.by("tensor"), "component": result.by("component")}
    return tuple((f"by {name}", _shares(sums, limit)) for name, sums in parts.items())


def _shares(parts: Mapping[str, float], limit: int | None) -> tuple[Share, ...]:
    """Parts by size; beyond `limit` the smallest are added up in one."""
    ranked = sorted(((name, joules) for name, joules in parts.items() if joules), key=lambda part: (-part[1], part[0]))
    if limit is not None and len(ranked) > limit:
        rest = ranked[limit - 1 :]
        ranked = [*ranked[: limit - 1], (f"{len(rest)} others", sum(joules for _, joules in rest))]
    sizes = [joules for _, joules in ranked]
    total = sum(sizes)
    texts = percentages(sizes)
    return tuple(
        Share(NAMES.get(name, name), joules, joules / total, text)
        for (name, joules), text in zip(ranked, texts, strict=True)
    )


def parts(result: Result) -> tuple[Part, ...]:
    """Every component of the machine, in the order of its file."""
    timed = result.run.picoseconds > 0
    return tuple(
        Part(
            name=name,
            instances=result.machine.instances(name),
            busy=busy,
            used=percent(busy) if timed and (busy or name not in result.traffic) else NOTHING,
            traffic=si(result.traffic[name], "B") if name in result.traffic else NOTHING,
            holds=memory(*result.capacity[name]) if name in result.capacity else NOTHING,
        )
        for name, busy in result.utilization.items()
    )


def notes(result: Result, tails: Band | None = None) -> tuple[Note, ...]:
    """Boundary, access settings, the standing of the prices with the band that they span, and how it was simulated."""
    settings = " · ".join(f"{name} {value}" for name, value in result.plan.settings.items())
    run = result.run
    simulated = f"fidelity {run.fidelity} · {counted(run.events, 'event')} · seed {result.workload.seed}"
    told = (
        Note("boundary", f"{result.machine.boundary} (joules by boundary of their price: {_by_boundary(result)})"),
        Note("access", settings),
        Note("devices", told_apart(result)),
        Note("prices", f"{_activity(result)}; joules by grade of price: {_by_grade(result)}"),
        Note("range", _range(result, tails)),
        Note("validity", _validity(result)),
        Note("simulated", simulated),
    )
    return tuple(note for note in told if note.text)


def _activity(result: Result) -> str:
    """How random the data are, and what a token costs where they are not; joules as they are if none follow them."""
    low, now = result.at_low_activity, result.energy.value / result.tokens
    other = "" if same(low, now) else f" ({si(low, 'J')} a token at {LOW_ACTIVITY:g})"
    return f"data of activity {result.workload.activity:g}{other}"


def _range(result: Result, tails: Band | None) -> str:
    """The band where it was drawn, and what it comes from; nothing where no price has a range."""
    shares = (
        f"{item.component} {item.action.replace('_', ' ')} {percent(item.share)}" for item in dominant(result.constants)
    )
    named = ", ".join(shares)
    if not named:
        return ""
    drawn = () if tails is None else (f"{interval(*tails, 'J')} per token in 90 % of draws",)
    return "; ".join((*drawn, f"variance by price: {named}"))


def _validity(result: Result) -> str:
    """How time and energy stand; and what a time as measured would make of the joules."""
    time, energy = result.validity
    if time == energy:
        return f"time and energy {time.told}"
    slower = () if time.ratio is None else (_at_measured_time(result, time.ratio),)
    off = () if energy.ratio is None else (f"measured joules are {_factors(energy.ratio)} these",)
    return "; ".join((f"time {time.told}", *slower, f"energy {energy.told}", *off))


def _at_measured_time(result: Result, ratio: tuple[float, float]) -> str:
    """Joules where what is paid by time lasts as long as measured."""
    timed = sum(joules for action, joules in result.by("action").items() if action in TIMED_ACTIONS)
    least, most = (result.energy.value / result.tokens + timed * (factor - 1) for factor in ratio)
    makes = interval(least, most, "J")
    return f"measured times are {_factors(ratio)} these, with which a token costs {makes}"


def _factors(ratio: tuple[float, float]) -> str:
    return "–".join(dict.fromkeys(number(factor) for factor in ratio)) + "×"


def _by_boundary(result: Result) -> str:
    return _listed(grouped(result.entries, lambda entry: entry.price.boundary or result.machine.boundary))


def _by_grade(result: Result) -> str:
    return _listed(grouped(result.entries, lambda entry: entry.price.grade))


def _listed(sums: Mapping[str, float]) -> str:
    return ", ".join(f"{share.name} {share.percent}" for share in _shares(sums, None)) or "none"


def _format(stored: Format) -> str:
    return stored.dtype if stored.group is None else f"{stored.dtype} in groups of {stored.group}"
