"""Published models against closed forms written down independently of the traces."""

from dataclasses import dataclass
from typing import Any

import pytest

from archsim.config.document import data, load
from archsim.config.shipped import shipped
from archsim.model.trace import Trace
from archsim.workloads.transformer import SPEC, TransformerWorkload, trace

BF16 = {"weights": "bf16", "kv": "bf16", "activations": "bf16"}


@dataclass(frozen=True)
class Shape:
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    published: int

    @property
    def layer(self) -> int:
        """Weights of the matrices of a layer: queries and output, keys and values, feed-forward."""
        return 2 * self.hidden**2 + 2 * self.hidden * self.kv_heads * 128 + 3 * self.hidden * self.feed_forward


SHAPES = {
    "llama-2-7b": Shape(32, 4096, 11008, 32, 32, 32000, 6_738_415_616),
    "llama-3.1-8b": Shape(32, 4096, 14336, 32, 8, 128256, 8_030_261_248),
    "llama-3.1-70b": Shape(80, 8192, 28672, 64, 8, 128256, 70_553_706_496),
    "llama-3.1-405b": Shape(126, 16384, 53248, 128, 8, 128256, 405_853_388_800),
}


def workload(name: str, **fields: Any) -> TransformerWorkload:
    model = data(load(shipped("workloads/models")[name]).root)
    given = {"schema": "archsim.workload/1", "name": name, "family": "transformer", "model": model, "dtypes": BF16}
    return SPEC.model_validate({**given, **fields})


def total(found: Trace, role: str) -> int:
    return sum(t.bytes * times for operator, _, times in found.executions() for t in operator.reads if t.role == role)


def macs(found: Trace) -> int:
    return sum(operator.macs * times for operator, _, times in found.executions())


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_are_embedding_head_layers_and_norms(name: str) -> None:
    shape = SHAPES[name]
    norms = (2 * shape.layers + 1) * shape.hidden
    assert shape.layers * shape.layer + 2 * shape.vocabulary * shape.hidden + norms == shape.published
    assert trace(workload(name)).parameters == shape.published


@pytest.mark.parametrize("name", SHAPES)
def test_decode_multiplies_every_weight_of_layers_and_head_once_for_each_sequence(name: str) -> None:
    shape, batch, prompt = SHAPES[name], 4, 1000
    products = shape.layers * shape.layer + shape.vocabulary * shape.hidden
    attention = 2 * shape.layers * shape.heads * 128 * (prompt + 1)
    assert macs(trace(workload(name, batch=batch, prompt_tokens=prompt))) == batch * (products + attention)


@pytest.mark.parametrize("name", SHAPES)
def test_a_step_reads_all_weights_but_the_unnamed_rows_of_the_table(name: str) -> None:
    shape = SHAPES[name]
    unread = (shape.vocabulary - 1) * shape.hidden
    assert total(trace(workload(name, prompt_tokens=10)), "weights") == 2 * (shape.published - unread)


@pytest.mark.parametrize(("name", "per_token"), [("llama-3.1-8b", 131_072), ("llama-2-7b", 524_288)])
def test_a_cached_token_takes_its_published_bytes(name: str, per_token: int) -> None:
    held = [{r.role: r.bytes for r in trace(workload(name, prompt_tokens=n)).residents}["kv"] for n in (100, 101)]
    assert held[1] - held[0] == per_token
    assert total(trace(workload(name, prompt_tokens=99)), "kv") == 100 * per_token


def test_prefill_multiplies_every_weight_for_each_token_and_scores_the_lower_triangle() -> None:
    shape, prompt = SHAPES["llama-3.1-8b"], 2048
    found = trace(workload("llama-3.1-8b", prompt_tokens=prompt, prompt_cached=False))
    attention = 2 * shape.layers * shape.heads * 128 * (prompt * (prompt + 1) // 2)
    head = shape.vocabulary * shape.hidden
    assert macs(found) == prompt * shape.layers * shape.layer + attention + head


def test_four_bits_in_groups_of_128_take_their_scales_along() -> None:
    dtypes = {**BF16, "weights": {"dtype": "int4", "group": 128}}
    left_out = ["embedding", "head", "norms"]
    shape = SHAPES["llama-3.1-8b"]
    found = trace(workload("llama-3.1-8b", prompt_tokens=10, dtypes=dtypes, without=left_out))
    weights = shape.layers * shape.layer
    assert total(found, "weights") == weights // 2 + weights // 128 * 2


def test_a_layer_reads_what_accelforge_1_0_467_reads_for_it() -> None:
    # One Llama-3-8B decoder layer, bf16, 2048 cached tokens, without norms, rotary, residuals, embedding, head and KV
    # append: 444,596,224 B of weights and KV.
    left_out = ["norms", "rotary", "residuals", "embedding", "head", "kv_append"]
    found = trace(workload("llama-3.1-8b", prompt_tokens=2048, without=left_out))
    assert total(found, "weights") + total(found, "kv") == 32 * 444_596_224


def test_parameters_of_pythia_are_the_published_less_biases_of_norms_and_feed_forward() -> None:
    biases = 32 * (10240 + 2560) + (2 * 32 + 1) * 2560
    assert trace(workload("pythia-2.8b")).parameters == 2_775_208_960 - biases


def test_parameters_of_llama_3_2_3b() -> None:
    assert trace(workload("llama-3.2-3b")).parameters == 3_212_749_824


def test_parameters_of_qwen3_8b() -> None:
    assert trace(workload("qwen3-8b")).parameters == 8_190_735_360
