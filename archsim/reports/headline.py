"""The first figures of a result: joules, time, rates and watts of one token."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.model.conversion import beyond
from archsim.model.pricing import Joules
from archsim.model.result import Result


@dataclass(frozen=True, slots=True)
class Headline:
    """Figures that follow from a result; None where the run has nothing of the kind.

    `per_token` is joules per output token of any sequence, prefill included where it is simulated. Rates are of
    decoding where there are intervals between tokens, and of the whole run where not. `tdp_share` is of one device at
    its own boundary.
    """

    per_token: Joules
    decode_j_per_output_token: float | None
    prefill_j_per_input_token: float | None
    tokens_per_s_per_user: float | None
    tokens_per_s: float
    device_w: float
    tdp_share: float | None


def headline(result: Result) -> Headline:
    """The figures of a result."""
    workload, pace, total = result.workload, result.latency.tpot_s, result.latency.total_s
    device_w = result.average_w / result.hardware.devices
    prompt_tokens = 0 if workload.prompt_cached else workload.batch * workload.prompt_tokens
    whole = result.tokens / total if total else 0.0
    return Headline(
        per_token=Joules(*(joules / result.tokens for joules in result.energy)),
        decode_j_per_output_token=_per(result.phase_j("decode"), workload.batch * workload.decode_steps),
        prefill_j_per_input_token=_per(result.phase_j("prefill"), prompt_tokens),
        tokens_per_s_per_user=1 / pace if pace else None,
        tokens_per_s=workload.batch / pace if pace else whole,
        device_w=device_w,
        tdp_share=device_w / beyond(result).value / result.hardware.tdp if result.hardware.tdp else None,
    )


def _per(joules: float, tokens: int) -> float | None:
    return joules / tokens if tokens else None
