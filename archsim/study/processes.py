"""Independent pieces of work over the cores of this computer, each answered in a process of its own kind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import TypeVar

from archsim.study.garbage import collect_rarely

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


def answers(
    pieces: Sequence[Piece],
    answer: Callable[[Piece], Answer],
    *,
    lost: Callable[[Piece], Answer],
    jobs: int | None = None,
    told: Callable[[Answer], None] = lambda _: None,
) -> list[Answer]:
    """The answer to each piece, in order; in this process where one is enough.

    `told` hears of each answer as it comes; `lost` stands in where a process ended before its time.
    """
    workers = min(jobs or cores(), len(pieces))
    if workers > 1:
        return _spread(pieces, answer, lost, workers, told)
    found = []
    for piece in pieces:
        found.append(answer(piece))
        told(found[-1])
    return found


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _spread(
    pieces: Sequence[Piece],
    answer: Callable[[Piece], Answer],
    lost: Callable[[Piece], Answer],
    workers: int,
    told: Callable[[Answer], None],
) -> list[Answer]:
    """Each piece in a fresh process: none inherits a thread or a lock."""
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_ready) as pool:
        try:
            with _interrupts_held():
                futures = {pool.submit(answer, piece): piece for piece in pieces}
            for future in as_completed(futures):
                told(_answer(future, futures[future], lost))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise
    return [_answer(future, piece, lost) for future, piece in futures.items()]


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile hear of no interrupt, or request to end, until they are ready to end on one."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        _hear_interrupts()


def _hear_interrupts() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _ready() -> None:
    """An interrupt of the keyboard reaches every process: only the first one has something to say."""
    collect_rarely()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _hear_interrupts()


def _answer(future: Future[Answer], piece: Piece, lost: Callable[[Piece], Answer]) -> Answer:
    try:
        return future.result()
    except BrokenProcessPool:
        return lost(piece)
