"""The matrix: every workload on every machine, in as many processes as there are cores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from archsim.config.diagnostics import InputError, fail, of_option
from archsim.config.validation import unknown_choice
from archsim.model.conversion import ConversionError, step
from archsim.model.hardware import Header
from archsim.model.price import BOUNDARIES, Boundary
from archsim.reports.comparison.matrix import Comparison
from archsim.reports.comparison.outcome import Outcome, Refusal, Subject
from archsim.study.checking import Findings, Hardware, Job, check_hardware, check_workload
from archsim.study.comparing.cells import Case, answer
from archsim.study.files import load_pair
from archsim.study.processes import answers
from archsim.study.running import named_boundary

Told = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What to compare: names or paths, settings for all of them, and whether devices may be added to hold a model.

    Joules are told at `boundary`; without one at the widest of the machines' own, unless `mixed_boundaries`.
    """

    workloads: tuple[str, ...]
    hardware: tuple[str, ...]
    baseline: str | None = None
    sets: tuple[str, ...] = ()
    fit: bool = False
    mixed_boundaries: bool = False
    boundary: str | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """A checked question: its workloads and machines, and the index of the machine that the others are held against.

    All joules are told at `boundary`; None: each machine's at its own.
    """

    question: Question
    workloads: tuple[Subject, ...]
    machines: tuple[Subject, ...]
    baseline: int
    boundary: Boundary | None

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every cell, by workload, then machine."""
        asked = self.question
        return tuple(
            Case(job, target, asked.sets, asked.fit, self.boundary)
            for job in self.workloads
            for target in self.machines
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not compared as it was asked for."""
        asked = (Counter(self.question.workloads), Counter(self.question.hardware))
        twice = (name for times in asked for name in times if times[name] > 1)
        return tuple(f"`{name}` is named more than once, and compared once" for name in twice)


def matrix(question: Question) -> Matrix:
    """The matrix of a question, all its files checked.

    Raises:
        InputError: with every finding about the files, or about what can't be compared.
    """
    workloads, machines = tuple(dict.fromkeys(question.workloads)), tuple(dict.fromkeys(question.hardware))
    if not (workloads and machines):
        fail("an empty matrix: there is nothing to compare", help="name a workload and a machine at least")
    baseline = machines[0] if question.baseline is None else question.baseline
    if baseline not in machines:
        raise InputError([unknown_choice("baseline", baseline, machines, of_option("--baseline", baseline))])
    findings = Findings()
    jobs = [findings.of(partial(_job, name, machines[0], question.sets)) for name in workloads]
    targets = [findings.of(partial(_target, workloads[0], name, question.sets)) for name in machines]
    findings.stop()
    asked = [Findings.settled(job).workload for job in jobs]
    built = [Findings.settled(target).header for target in targets]
    boundary = _boundary(question, dict(zip(machines, built, strict=True)))
    return Matrix(
        question,
        _labelled(Subject(name, job.name, job.family, "") for name, job in zip(workloads, asked, strict=True)),
        _labelled(
            Subject(name, header.name, header.hardware_class, "", boundary or header.boundary)
            for name, header in zip(machines, built, strict=True)
        ),
        machines.index(baseline),
        boundary,
    )


def _job(workload: str, hardware: str, sets: Sequence[str]) -> Job:
    return check_workload(load_pair(workload, hardware, sets)[0])


def _target(workload: str, hardware: str, sets: Sequence[str]) -> Hardware:
    return check_hardware(load_pair(workload, hardware, sets)[1])


def _labelled(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Each with its name for a label, and what it was asked for by where two have one name."""
    found = list(subjects)
    times = Counter(item.name for item in found)
    return tuple(
        item._replace(label=item.name if times[item.name] == 1 else f"{item.name} ({item.argument})") for item in found
    )


def _boundary(question: Question, built: Mapping[str, Header]) -> Boundary | None:
    """The boundary that all joules are told at: the one asked for, else the widest where they are unlike."""
    if question.boundary is not None:
        return named_boundary(question.boundary)
    own = {header.boundary for header in built.values()}
    if question.mixed_boundaries or len(own) == 1:
        return None
    widest = max(own, key=BOUNDARIES.index)
    for header in built.values():
        try:
            step(header.site, header.boundary, widest)
        except ConversionError as error:
            told = ", ".join(f"{name} {header.boundary}" for name, header in built.items())
            fail(
                f"unlike boundaries in one comparison: {told}; {error}",
                help="--mixed-boundaries compares them all the same and marks them",
            )
    return widest


def compare(asked: Matrix, jobs: int | None = None, told: Told = lambda _: None) -> Comparison:
    """Simulate every cell; a cell that fails has its reason. `told` hears of each outcome as it comes."""
    outcomes: list[Outcome] = answers(asked.cases, answer, lost=_lost, jobs=jobs, told=told)
    width = len(asked.machines)
    rows = tuple(tuple(outcomes[start : start + width]) for start in range(0, len(outcomes), width))
    return Comparison(asked.workloads, asked.machines, asked.baseline, rows)


def _lost(case: Case) -> Refusal:
    reason = "a process that simulated cells ended before its time: the system may have run out of memory"
    return Refusal(case.workload, case.machine, reason, "fewer at once: --jobs 1")
