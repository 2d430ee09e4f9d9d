"""Where in a hardware file a price stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from archsim.model.component import Component, Connector
from archsim.model.ledger import STATIC_ACTION
from archsim.model.machine import Machine
from archsim.model.price import Price


def path_of(machine: Machine, name: str, action: str) -> tuple[str, ...]:
    """Keys from the top of the file: where the component keeps the very object that the action bills; else empty."""
    component = machine.components[name]
    price = component.static if action == STATIC_ACTION else machine.actions[name][action].price
    section = "links" if isinstance(component, Connector) else "components"
    found = next((path for path, item in _prices(component) if item is price), None)
    return () if found is None else (section, name, *found)


def _prices(value: Component | object) -> Iterator[tuple[tuple[str, ...], Price]]:
    """Every price below a value with its path."""
    if isinstance(value, Price):
        yield (), value
    elif isinstance(value, BaseModel | Mapping):
        for key, item in value.items() if isinstance(value, Mapping) else value:
            yield from (((str(key), *path), price) for path, price in _prices(item))
