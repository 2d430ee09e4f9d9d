"""Which components stand at another process node than their prices are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archsim.config.diagnostics import Diagnostic
from archsim.config.document import Document, position_at
from archsim.model.component import Component, Connector
from archsim.model.scaling import on_ladder


def unscalable(document: Document, components: Mapping[str, Component]) -> Iterator[Diagnostic]:
    """Findings about components that are to be scaled by themselves, and state no node that anything is scaled from."""
    for name, component in components.items():
        if component.scale_to is not None and on_ladder(component.node) is None:
            section = "links" if isinstance(component, Connector) else "components"
            where = position_at(document, (section, name, "scale_to"))
            stated = f"its node is {component.node}" if component.node else "it states no `node`"
            help_ = "rules hold from 16 to 2 nm; take figures of the node itself (archsim library --node N)"
            yield Diagnostic(f"`{name}` can't be scaled to {component.scale_to}: {stated}", where, help_)


def moved(components: Mapping[str, Component], node: str | None) -> Mapping[str, Component]:
    """The components, those without a `scale_to` of their own at the machine's."""
    if node is None:
        return components
    return {
        name: item if item.scale_to is not None else item.model_copy(update={"scale_to": node})
        for name, item in components.items()
    }
