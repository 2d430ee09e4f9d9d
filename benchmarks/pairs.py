"""A workload on a machine, checked once, and traced and mapped as often as a benchmark likes."""

from archsim.engine import stitching
from archsim.mappers import gemm_kernels
from archsim.mappers.apart import apart
from archsim.model.machine import assemble
from archsim.model.plan import Plan
from archsim.model.taskgraph import TaskGraph
from archsim.study.checking import check_hardware, check_workload
from archsim.study.files import load_pair


class Pair:
    """A checked pair of files."""

    def __init__(self, workload: str, hardware: str, *sets: str) -> None:
        documents = load_pair(workload, hardware, sets)
        self._job, self._target = check_workload(documents[0]), check_hardware(documents[1])
        header = self._target.header
        self.machine = assemble(header.name, header.boundary, header.devices, self._target.components)

    def plan(self) -> Plan:
        """Trace and map."""
        job, target = self._job, self._target
        stack = target.stack.in_mix if job.workload.mix else target.stack
        trace = job.family.trace(job.workload)
        plan: Plan = target.mapper.plan(trace, self.machine, target.settings, stack, job.workload.batch)
        return plan

    def graph(self) -> TaskGraph:
        """What is simulated: tasks of each device where devices are told apart."""
        plan = self.plan()
        return apart(plan.graph, plan.apart, self._job.workload.seed) if plan.apart else plan.graph


def forget() -> None:
    """Forget what earlier runs of this process left behind."""
    stitching.forget()
    gemm_kernels.gemm.cache_clear()
