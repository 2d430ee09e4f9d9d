"""What is written of a run reads back as the same machine and the same work."""

import pytest

from archsim.config import tree
from archsim.config.document import Document
from archsim.config.shipped import shipped
from archsim.study.checking import Hardware, Job, check_hardware, check_workload
from archsim.study.files import load_pair, part
from archsim.study.playing import How
from archsim.study.resolved import resolved

AS_WRITTEN: dict[str, object] = {"components": {}, "links": {}, "mapper": {}, "libraries": ()}
"""What a header has as the file has it: checked by itself, or not needed any more."""


def checked(workload: str, hardware: str) -> tuple[Job, Hardware]:
    documents = load_pair(workload, hardware)
    return check_workload(documents[0]), check_hardware(documents[1])


def read_back(job: Job, target: Hardware) -> tuple[Job, Hardware]:
    """What is read from what is written of a pair."""
    text = resolved(job, target, How(), None)
    document = Document("resolved.yaml", tree.parse(text, "resolved.yaml"), ())
    return check_workload(part(document, "workload")), check_hardware(part(document, "hardware"))


@pytest.mark.parametrize("name", shipped("workloads"))
def test_a_workload_reads_back_as_it_was(name: str) -> None:
    pair = checked(name, "ideal-hbm")
    assert read_back(*pair)[0].workload == pair[0].workload


@pytest.mark.parametrize("name", shipped("hw_configs"))
def test_a_machine_reads_back_as_it_was(name: str) -> None:
    pair = checked("gemv-4096", name)
    target, found = pair[1], read_back(*pair)[1]
    unnamed = {name: item.model_copy(update={"library": None}) for name, item in target.components.items()}
    assert (found.components, found.settings, found.stack) == (unnamed, target.settings, target.stack)
    assert found.header.model_copy(update=AS_WRITTEN) == target.header.model_copy(update=AS_WRITTEN)
