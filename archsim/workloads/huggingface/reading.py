"""Dimensions from a Hugging Face `config.json`, as published: what the readers of all families share.

Only architectures whose parameters come out exactly are translated. Fields that do not change the shape are ignored;
of a model with several parts, the language model (`text_config`) is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archsim.config.diagnostics import UnplacedError, did_you_mean, listed
from archsim.workloads.huggingface.fields import check, place
from archsim.workloads.huggingface.types import MEANINGS, TYPES, UNREAD, family_of, type_of

Config = Mapping[str, Any]

_FULL = "full_attention"

Names = Mapping[str, str | tuple[str, ...]]
"""Our names of fields (`experts.count` stands below `experts`), and those in the file: one, or several over time."""


def is_huggingface(model: object) -> bool:
    """Whether this is the content of a `config.json`, and not of a file of dimensions."""
    return isinstance(model, Mapping) and not {"model_type", "architectures", "text_config"}.isdisjoint(model)


def importing(dimensions: Callable[[Config], dict[str, Any]]) -> Callable[[Any], Any]:
    """A validator that turns the content of a `config.json` into dimensions, and leaves all else alone."""
    return lambda model: dimensions(model) if is_huggingface(model) else model


def language_model(config: Config, family: str, required: Names) -> tuple[str, Config]:
    """The type and the config of the language model.

    Raises UnplacedError where a value can't be, or no family or another one reads the type; `required` are the fields
    that all types of this family have.
    """
    nested = config.get("text_config")
    check(config)
    if isinstance(nested, Mapping):
        check(nested, ("text_config",))
    config = {**config, **nested} if isinstance(nested, Mapping) else config
    kind = type_of(config)
    found = family_of(kind, config)
    if found is not None and found != family:
        message = f"model_type `{kind}` is {MEANINGS[found]}, which family `{family}` does not cover"
        raise UnplacedError(message, f"write `family: {found}`, which reads {listed(TYPES[found])}", _named_at(config))
    if kind not in TYPES[family]:
        raise _unread(kind, family, config, required)
    return kind, config


_MAY_BE_NONE = frozenset(("dense_layers",))


def translated(config: Config, kind: str, required: Names, optional: Names) -> dict[str, Any]:
    """The values of the fields by our names.

    Raises UnplacedError where the file lacks one that is required, or says that there are none of it.
    """
    if lacking := _lacking(config, required):
        raise UnplacedError(f"the config.json of model_type `{kind}` lacks {listed(lacking)}")
    for name in (_given(config, names) for ours, names in required.items() if ours not in _MAY_BE_NONE):
        if config[name] == 0:
            raise UnplacedError(f"{name} must be a whole number above 0: 0", at=place(config, name))
    found = {ours: _value(config, theirs) for ours, theirs in {**optional, **required}.items()}
    return {
        "name": config.get("_name_or_path") or kind,
        **_nested({ours: value for ours, value in found.items() if value is not None}),
        "tied_embeddings": bool(config.get("tie_word_embeddings", False)),
    }


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        outer, _, inner = name.rpartition(".")
        (found.setdefault(outer, {}) if outer else found)[inner] = value
    return found


def expect(config: Config, **usual: Any) -> None:
    """Raise UnplacedError where a field is there and has not its usual value."""
    for field, value in usual.items():
        given = config.get(field)
        if given is not None and given != value:
            raise UnplacedError(f"{field} is {given!r}, and only {value!r} is read")


def every(config: Config, usual: int) -> int | None:
    """Of how many layers the last one has no attention window; None where all have it.

    Raises UnplacedError where layers with and without a window come in another order.
    """
    kinds: list[str] = config.get("layer_types") or []
    if not kinds:
        given = int(config.get("sliding_window_pattern") or usual)
        return given if given <= config["num_hidden_layers"] else None
    found = kinds.index(_FULL) + 1 if _FULL in kinds else None
    regular = [_FULL if found and (index + 1) % found == 0 else "sliding_attention" for index in range(len(kinds))]
    if kinds != regular:
        raise UnplacedError("layer_types: layers without a window must be the last of every so many")
    return found


def _given(config: Config, names: str | tuple[str, ...]) -> str:
    """The name of a field in the file; '' where it is not there."""
    aliases = (names,) if isinstance(names, str) else names
    return next((name for name in aliases if config.get(name) is not None), "")


def _value(config: Config, names: str | tuple[str, ...]) -> Any:
    return config.get(_given(config, names))


def _lacking(config: Config, required: Names) -> list[str]:
    missing = [names for names in required.values() if _value(config, names) is None]
    return [names if isinstance(names, str) else names[0] for names in missing]


def _unread(kind: str, family: str, config: Config, required: Names) -> UnplacedError:
    """The refusal of a type that no family reads: why not where that is known, and what is read."""
    known, why = TYPES[family], UNREAD[family].get(kind)
    message = f"model_type `{kind}` is not read: {why}" if why else f"unknown model_type `{kind}`"
    message += f"; {'read are' if why else 'known:'} {listed(known)}"
    if not why and (lacking := _lacking(config, required)):
        message += f"; the file also lacks {listed(lacking)}"
    instead = f"if its layers are those of {MEANINGS[family]}, write the dimensions in a YAML file"
    return UnplacedError(message, f"{'' if why else did_you_mean(kind, known)} {instead}".strip(), _named_at(config))


def _named_at(config: Config) -> tuple[str, ...]:
    """Where a file says which type it is of."""
    name = next((name for name in ("model_type", "architectures") if config.get(name)), "")
    return place(config, name) if name else ()
