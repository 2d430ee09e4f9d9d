"""Held time: every picosecond belongs to the earliest task in program order that has started and not ended."""

from heapq import heappop, heappush

from archsim.engine.live import LiveTask
from archsim.model.run import STATIC, Span

_NOBODY = Span(STATIC, "")


class Held:
    """Picoseconds by operator and phase; they add up to the time charged so far."""

    def __init__(self) -> None:
        self.spans: dict[Span, int] = {}
        self._since = 0
        self._started: list[tuple[int, LiveTask]] = []

    def begin(self, task: LiveTask, now: int) -> None:
        """Note that a task has started."""
        if now > self._since:
            self.charge(now)
        heappush(self._started, (task.rank, task))

    def end(self, now: int) -> None:
        """Note that a task has ended."""
        started = self._started
        if now > self._since:
            self.charge(now)
        while started and started[0][1].ended:
            heappop(started)

    def charge(self, now: int) -> None:
        """Book the time since the last charge to the task that holds it."""
        if now > self._since:
            if not self._started:
                self._book(_NOBODY, now - self._since)
            elif self._started[0][1].place.parts:
                self._divide(self._started[0][1], now)
            else:
                self._book(self._started[0][1].place.span, now - self._since)
            self._since = now

    def _divide(self, row: LiveTask, now: int) -> None:
        """Book the time of several tasks in a row to each of them."""
        since, until = self._since - row.began, now - row.began
        for end, span in row.place.parts:
            if since < end:
                self._book(span, min(end, until) - since)
                since = end
                if end >= until:
                    break

    def _book(self, span: Span, picoseconds: int) -> None:
        self.spans[span] = self.spans.get(span, 0) + picoseconds
