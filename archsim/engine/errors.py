"""What can go wrong in a simulation."""


class Deadlock(Exception):  # noqa: N818 - the field's word for it
    """Tasks are left and nothing can happen any more; the message names who waits for what."""


class EventLimit(Exception):  # noqa: N818 - a bound that the caller set, not a fault
    """The simulation needed more events than it was allowed."""


class Unrepresentable(Exception):  # noqa: N818 - a limit of what was asked for, not a fault
    """A fidelity can't represent a flow of the graph, and would answer wrongly; `help` says what can be done."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help
