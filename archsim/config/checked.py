"""What every model of a file has in common."""

from pydantic import BaseModel, ConfigDict


class Checked(BaseModel):
    """Frozen values that refuse unknown keys; a validator is built when first used, since a run uses few of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)
