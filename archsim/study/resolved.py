"""Every value of a run with all defaults expanded, as YAML that makes the run again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import yaml

from archsim.model.component import Component, Connector
from archsim.study.checking import Hardware, Job
from archsim.study.files import RESOLVED
from archsim.study.playing import How

FILENAME = "resolved.yaml"

_ABOUT = """\
# Every value of one run: defaults, library entries, model and stack are in place. It makes the run again, whatever
# becomes of the files that it was made from; result.json names those, under provenance.
#   {command}
"""

_UNRESOLVED = {"components", "links", "mapper", "stack", "libraries"}


def resolved(job: Job, target: Hardware, how: How, boundary: str | None) -> str:
    """Both files of a run under `workload` and `hardware`, with library entries, stack and defaults in place.

    The head has the command that makes it again as it was made, its joules at `boundary` if one was asked for.
    """
    hardware = target.header.model_dump(mode="json", by_alias=True, exclude=_UNRESOLVED)
    hardware["stack"] = target.stack.model_dump(mode="json")
    hardware["components"] = {
        name: _dumped(item) for name, item in target.components.items() if not isinstance(item, Connector)
    }
    hardware["links"] = {name: _dumped(item) for name, item in target.components.items() if isinstance(item, Connector)}
    hardware["mapper"] = target.settings.model_dump(mode="json")
    both = _stated(
        {
            "schema": RESOLVED,
            "edited": sorted(target.document.edited) or None,
            "workload": job.workload.model_dump(mode="json", by_alias=True),
            "hardware": hardware,
        }
    )
    command = shlex.join(("archsim", "run", FILENAME, *_options(how, boundary)))
    return _ABOUT.format(command=command) + yaml.safe_dump(both, sort_keys=False, allow_unicode=True, width=120)


def _options(how: How, boundary: str | None) -> Iterator[str]:
    """What a run was told beside its files."""
    if how.fidelity != How().fidelity:
        yield from ("--fidelity", how.fidelity)
    given = {"--chunk-bytes": how.chunk, "--max-events": how.max_events, "--boundary": boundary}
    for name, value in given.items():
        if value is not None:
            yield from (name, str(value))


def _dumped(component: Component) -> dict[str, Any]:
    """A component without the name of the library entry that gave it what is written here."""
    return component.model_dump(mode="json", exclude={"library"})


def _stated(value: Any) -> Any:
    """Without what is None: as if left out."""
    if isinstance(value, dict):
        return {key: _stated(item) for key, item in value.items() if item is not None}
    return [_stated(item) for item in value] if isinstance(value, list) else value
