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
    tokens_per_s: float | None
    average_w: float | None
    device_w: float | None
    tdp_share: float | None


def headline(result: Result) -> Headline:
    """The figures of a result."""
    workload, pace, total = result.workload, result.latency.tpot_s, result.latency.total_s
    average_w = result.average_w if total else None
    device_w = None if average_w is None else average_w / result.hardware.devices
    tdp = result.hardware.tdp
    prompt_tokens = 0 if workload.prompt_cached else workload.batch * workload.prompt_tokens
    whole = result.tokens / total if total else None
    return Headline(
        per_token=Joules(*(joules / result.tokens for joules in result.energy)),
        decode_j_per_output_token=_per(result.phase_j("decode"), workload.batch * workload.decode_steps),
        prefill_j_per_input_token=_per(result.phase_j("prefill"), prompt_tokens),
        tokens_per_s_per_user=1 / pace if pace else None,
        tokens_per_s=workload.batch / pace if pace else whole,
        average_w=average_w,
        device_w=device_w,
        tdp_share=device_w / beyond(result).value / tdp if tdp and device_w is not None else None,
    )


def _per(joules: float, tokens: int) -> float | None:
    return joules / tokens if tokens else None
