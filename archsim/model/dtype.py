"""Data types by name: how many bits a value has, and how many bytes a group of values takes with its scales."""

from __future__ import annotations

from typing import Literal, get_args

Dtype = Literal["fp32", "bf16", "fp16", "fp8", "int8", "int6", "int4", "int3", "int2", "fp4"]

DTYPES: tuple[Dtype, ...] = get_args(Dtype)

BITS: dict[Dtype, int] = {
    "fp32": 32,
    "bf16": 16,
    "fp16": 16,
    "fp8": 8,
    "int8": 8,
    "int6": 6,
    "int4": 4,
    "int3": 3,
    "int2": 2,
    "fp4": 4,
}


def packed_bytes(elements: int, dtype: Dtype) -> int:
    """Bytes of `elements` values stored without gaps, rounded up to a whole byte."""
    return -(-elements * BITS[dtype] // 8)
