"""Whether a result lies where its machine was held against measurements."""

from __future__ import annotations

from typing import Literal, NamedTuple

from archsim.model.hardware import Evidence, Header

Standing = Literal["measured", "fitted", "outside", "none"]


class Validity(NamedTuple):
    """How one quantity of a result stands, against what, and measured over simulated there (least and most)."""

    standing: Standing
    against: str
    ratio: tuple[float, float] | None

    @property
    def told(self) -> str:
        """In a few words."""
        told = {
            "measured": "held against measurements",
            "fitted": "fitted, not tested",
            "outside": "outside of what was measured",
            "none": "not validated",
        }
        return f"{told[self.standing]} ({self.against})"


class Validities(NamedTuple):
    """Of the two quantities that a result tells."""

    time: Validity
    energy: Validity


def validities(header: Header, family: str, *, edited: bool) -> Validities:
    """How time and energy of a run stand; `edited` says that settings of the machine were changed."""
    validated = header.validated
    if validated is None:
        unknown = Validity("none", "no measurement stands behind this machine", None)
        return Validities(unknown, unknown)
    found = ""
    if header.name != validated.machine:
        found = f"that is {validated.machine}"
    elif header.stack != validated.stack:
        found = f"that is with the stack {validated.stack}"
    elif edited:
        found = "settings of the machine were changed"
    return Validities(*(_validity(evidence, family, found) for evidence in (validated.time, validated.energy)))


def _validity(evidence: Evidence, family: str, found: str) -> Validity:
    """`found` is why the evidence does not hold here; empty where it does."""
    if evidence.standing == "none":
        return Validity("none", evidence.against, None)
    if not found and evidence.families and family not in evidence.families:
        found = f"for {', '.join(evidence.families)}, not {family}"
    if found:
        return Validity("outside", f"{found}: {evidence.against}", None)
    return Validity(evidence.standing, evidence.against, evidence.ratio)
