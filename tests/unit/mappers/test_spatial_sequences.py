"""What one of several sequences has of an operator, and its phases."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from archsim.mappers.phases import phases
from archsim.mappers.sequences import of_one, touched
from archsim.model.trace import Attention, Experts, Operator, Role, Tensor


def tensor(name: str, role: Role, elements: int) -> Tensor:
    return Tensor(name, role, elements, "bf16", 2 * elements)


@given(st.integers(1, 8), st.integers(1, 4), st.integers(4, 12), st.randoms(use_true_random=False))
def test_a_sequence_has_as_many_experts_as_it_asked_for(batch: int, top: int, experts: int, random: Random) -> None:
    loads = [0] * experts
    for _ in range(batch):
        for chosen in random.sample(range(experts), top):
            loads[chosen] += 1
    whole = Experts(tuple(loads), n=6, k=5)
    active = touched(whole)
    operator = Operator(
        "up", (tensor("up.weight", "weights", 30 * active),), (), macs=30 * batch * top, shape=whole, shards="experts"
    )
    one = of_one(operator, batch)
    assert isinstance(one.shape, Experts)
    assert sum(one.shape.loads) == touched(one.shape) == top
    assert one.reads[0].bytes == 60 * top
    assert one.macs == 30 * top


def test_latent_attention_reads_its_values_again() -> None:
    kv = tensor("kv", "kv", 100 * 576)
    shape = Attention(1, 1, 100, heads=16, kv_heads=1, head_size=576, causal=True, value_size=512)
    macs = 16 * 100 * (576 + 512)
    scores, values = phases(Operator("attention", (kv,), (), macs=macs, vector_ops=10, shape=shape))
    assert (scores.operator.macs, values.operator.macs) == (16 * 100 * 576, 16 * 100 * 512)
    assert scores.operator.reads[0].bytes == kv.bytes
    assert values.operator.reads[0].bytes == kv.bytes * 512 // 576


def test_keys_and_values_are_read_once_each() -> None:
    kv = tensor("kv", "kv", 2 * 65 * 64)
    shape = Attention(1, 1, 65, heads=8, kv_heads=4, head_size=16, causal=True)
    parts = phases(Operator("attention", (kv,), (), macs=2 * 65 * 8 * 16, vector_ops=10, shape=shape))
    assert sum(part.operator.reads[0].bytes for part in parts) == kv.bytes
    assert [part.operator.vector_ops for part in parts] == [10, 0]
    assert [part.statistics for part in parts] == [2, 0]
