"""Every value of a run with all defaults expanded, as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from archsim.model.component import Component, Connector
from archsim.study.checking import Hardware, Job

_ABOUT = """\
# What a run was made of, every default and library entry in place: to be read and compared, not to be run. The files
# and the command that make it again stand in result.json, under provenance.
"""

_UNRESOLVED = {"components", "links", "mapper", "stack"}


def resolved(job: Job, target: Hardware) -> str:
    """Both files of a run under `workload` and `hardware`, with library entries, stack and defaults in place."""
    hardware = target.header.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_UNRESOLVED)
    hardware["stack"] = target.stack.model_dump(mode="json", exclude_none=True)
    hardware["components"] = {
        name: _dumped(item) for name, item in target.components.items() if not isinstance(item, Connector)
    }
    hardware["links"] = {name: _dumped(item) for name, item in target.components.items() if isinstance(item, Connector)}
    hardware["mapper"] = target.settings.model_dump(mode="json", exclude_none=True)
    workload = job.workload.model_dump(mode="json", by_alias=True, exclude_none=True)
    both = {"workload": workload, "hardware": hardware}
    return _ABOUT + yaml.safe_dump(both, sort_keys=False, allow_unicode=True, width=120)


def _dumped(component: Component) -> dict[str, Any]:
    return component.model_dump(mode="json", exclude_none=True)
