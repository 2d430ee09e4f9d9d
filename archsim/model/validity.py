"""Whether a result lies where its machine was held against measurements."""

from __future__ import annotations

from typing import Literal, NamedTuple

from archsim.model.hardware import Evidence, Header

Standing = Literal["measured", "fitted", "outside", "none"]


_TOLD: dict[Standing, str] = {
    "measured": "held against measurements",
    "fitted": "fitted, not tested",
    "outside": "outside of what was measured",
    "none": "not validated",
}


class Validity(NamedTuple):
    """How one quantity of a result stands, against what, and measured over simulated there (least and most).

    `why` says what lies outside, and is empty elsewhere.
    """

    standing: Standing
    against: str
    ratio: tuple[float, float] | None = None
    why: str = ""

    @property
    def brief(self) -> str:
        """In a few words, without the evidence."""
        return f"{_TOLD[self.standing]} ({self.why})" if self.why else _TOLD[self.standing]

    @property
    def told(self) -> str:
        """With the evidence."""
        evidence = f"{self.why}: {self.against}" if self.why else self.against
        return f"{_TOLD[self.standing]} ({evidence})"


class Validities(NamedTuple):
    """Of the two quantities that a result tells."""

    time: Validity
    energy: Validity


def validities(header: Header, family: str, *, edited: bool, scaled: bool = False) -> Validities:
    """How time and energy stand: settings of the machine were `edited`, its prices `scaled` to another node."""
    validated = header.validated
    if validated is None:
        unknown = Validity("none", "no measurement stands behind this machine")
        return Validities(unknown, unknown)
    found = ""
    if header.name != validated.machine:
        found = f"that is {validated.machine}"
    elif header.stack != validated.stack:
        found = f"that is with the stack {validated.stack}"
    elif scaled:
        found = "its prices are scaled to another node"
    elif edited:
        found = "settings of the machine were changed"
    return Validities(*(_validity(evidence, family, found) for evidence in (validated.time, validated.energy)))


def _validity(evidence: Evidence, family: str, found: str) -> Validity:
    """`found` is why the evidence does not hold here; empty where it does."""
    if evidence.standing == "none":
        return Validity("none", evidence.against)
    if not found and evidence.families and family not in evidence.families:
        found = f"{', '.join(evidence.families)}, not {family}"
    if found:
        return Validity("outside", evidence.against, why=found)
    return Validity(evidence.standing, evidence.against, evidence.ratio)
