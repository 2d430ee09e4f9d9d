"""Credits: bounded buffers, exclusive stages, sequences in flight."""

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import itemgetter

from archsim.engine.live import LiveTask


class Credits:
    """What is left of each buffer, and who waits for it.

    All credits of a task are taken together or none. Whoever asked first is served first among those that can be
    served: a task that waits for another buffer as well doesn't block this one, which would invent deadlocks.
    """

    def __init__(self, sizes: Iterable[tuple[str, int]]) -> None:
        self.sizes = dict(sizes)
        self.left = dict(self.sizes)
        self._queues: dict[str, dict[int, LiveTask]] = {name: {} for name in self.sizes}
        self._asked = 0

    def take(self, task: LiveTask) -> bool:
        """Take all credits of a task, or queue it where one is missing."""
        if self._pay(task):
            return True
        self._asked += 1
        for name in task.place.takes:
            self._queues[name][self._asked] = task
        return False

    def give(self, task: LiveTask) -> list[LiveTask]:
        """Return the credits of a task that ended; the queued tasks that took theirs now, first come first served.

        Raises ValueError where a buffer would hold more than its size.
        """
        gives = task.place.gives
        for name, amount in gives.items():
            self.left[name] += amount
            if self.left[name] > self.sizes[name]:
                raise ValueError(f"{task.name} gives more of buffer {name} than was taken")
        queues = [self._queues[name].items() for name in gives if self._queues[name]]
        served: dict[int, LiveTask] = {}
        for asked, waiter in merge(*queues, key=itemgetter(0)):
            if not any(self.left[name] for name in gives):
                break
            if asked not in served and self._pay(waiter):
                served[asked] = waiter
        for asked, waiter in served.items():
            for name in waiter.place.takes:
                del self._queues[name][asked]
        return list(served.values())

    def missing(self, task: LiveTask) -> Iterator[tuple[str, int]]:
        """The buffers that hold too little for a task, and how much it wants of each."""
        return ((name, amount) for name, amount in task.place.takes.items() if self.left[name] < amount)

    def queue(self) -> list[LiveTask]:
        """The tasks that wait, in the order of their asking."""
        waiting = {asked: task for queue in self._queues.values() for asked, task in queue.items()}
        return [waiting[asked] for asked in sorted(waiting)]

    def _pay(self, task: LiveTask) -> bool:
        left, takes = self.left, task.place.takes
        for name, amount in takes.items():
            if left[name] < amount:
                return False
        for name, amount in takes.items():
            left[name] -= amount
        return True
