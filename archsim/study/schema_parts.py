"""JSON Schemas of models as editors need them: quantities and prices as definitions, and what is required held apart.

A file may leave out what it extends or what the library gives, so the shape of a value and what it needs are two
schemas: the first always applies, the second only where nothing else supplies values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from archsim.config import units
from archsim.config.units import Dimension, Quantity
from archsim.model.price import Boundary, Figure, Grade, Price

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import core_schema

Schema = dict[str, Any]

_DEFINITIONS = "#/$defs/"
_DIMENSIONS = [item for item in vars(units).values() if isinstance(item, Dimension)]
_PRICE = "archsim price"  # marks the place of a reference until pydantic has resolved its own


@dataclass(frozen=True, slots=True)
class Parts:
    """The models' definitions by name, without what is required at their top and in the mappings below it."""

    definitions: Mapping[str, Schema]
    names: Mapping[type[BaseModel], str]
    needed: Mapping[type[BaseModel], Schema]

    def shape(self, model: type[BaseModel]) -> Schema:
        """A reference to what a value may hold."""
        return {"$ref": _DEFINITIONS + self.names[model]}

    def needs(self, model: type[BaseModel], *, without: str = "") -> Schema:
        """What a value must hold where nothing else supplies it, the key `without` aside."""
        needed = self.needed[model]
        return needed | {"required": [key for key in needed.get("required", ()) if key != without]}


def parts(models: Iterable[type[BaseModel]]) -> Parts:
    """The schemas of models, definitions shared."""
    wanted = list(models)
    found, every = models_json_schema([(model, "validation") for model in wanted], schema_generator=_Generator)
    definitions: dict[str, Schema] = {name: _referring(item) for name, item in every["$defs"].items()}
    names = {model: found[model, "validation"]["$ref"].removeprefix(_DEFINITIONS) for model in wanted}
    needed = {model: _needs(names[model], definitions) for model in wanted}
    for name in {below for outer in names.values() for below in _nested(outer, definitions)}:
        definitions[name] = {key: item for key, item in definitions[name].items() if key != "required"}
    return Parts(dict(sorted({**definitions, **_quantities()}.items())), names, needed)


class _Generator(GenerateJsonSchema):
    """Leaves out titles that repeat a key, writes defaults as people do, and marks prices."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        reader = getattr(schema["function"]["function"], "__self__", None)
        dimension = getattr(reader, "dimension", None)
        if isinstance(dimension, Dimension) and not isinstance(reader, Quantity):
            return {_PRICE: _price_name(dimension)}
        return super().function_before_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        default = schema.get("default")
        write = schema["schema"].get("serialization", {}).get("function")
        shown = write(default) if default is not None and callable(write) else found.get("default")
        if isinstance(default, Figure) and default.low == default.high and isinstance(shown, dict):
            shown = shown["value"]
        rest = _without(found, "default")  # a mapping's defaults stand with its keys
        return rest if shown is None or isinstance(shown, dict) else rest | {"default": shown}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        return found | {"required": ["value"]} if issubclass(schema["cls"], Figure) else found


def _nested(name: str, definitions: Mapping[str, Schema]) -> Iterator[str]:
    """The definition and those of the mappings that it holds under a key of their own."""
    yield name
    for item in definitions[name].get("properties", {}).values():
        reference = item.get("$ref", "").removeprefix(_DEFINITIONS)
        if "properties" in definitions.get(reference, {}):
            yield from _nested(reference, definitions)


def _needs(name: str, definitions: Mapping[str, Schema]) -> Schema:
    schema = definitions[name]
    below = {}
    for key, item in schema.get("properties", {}).items():
        reference = item.get("$ref", "").removeprefix(_DEFINITIONS)
        if needs := _needs(reference, definitions) if reference in definitions else {}:
            below[key] = needs
    required = {"required": schema["required"]} if "required" in schema else {}
    return required | ({"properties": below} if below else {})


def _referring(schema: Any) -> Any:
    """The schema with each quantity and price as a reference to its definition."""
    if isinstance(schema, list):
        return [_referring(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if _PRICE in schema:
        return {"$ref": _DEFINITIONS + schema[_PRICE]} | _without(schema, _PRICE)
    name = _PATTERNS.get(str(schema.get("pattern", "")))
    if name is not None:
        return {"$ref": _DEFINITIONS + name} | _without(schema, "type", "pattern", "examples")
    return {key: _referring(item) for key, item in schema.items()}


def _without(schema: Schema, *keys: str) -> Schema:
    return {key: item for key, item in schema.items() if key not in keys}


def _name(quantity: Quantity) -> str:
    return quantity.dimension.name.replace(" ", "-") + ("-or-unlimited" if quantity.unlimited else "")


def _price_name(dimension: Dimension) -> str:
    return "price-of-" + dimension.name.replace(" ", "-")


_ALL = [Quantity(dimension, unlimited=unlimited) for dimension in _DIMENSIONS for unlimited in (False, True)]
_PATTERNS = {quantity.pattern(): _name(quantity) for quantity in _ALL}


def _quantities() -> dict[str, Schema]:
    """Every quantity and every price by its name."""
    found = {_name(quantity): _quantity(quantity) for quantity in _ALL}
    return found | {_price_name(dimension): _price(dimension) for dimension in _DIMENSIONS}


def _quantity(quantity: Quantity) -> Schema:
    examples = [quantity.dimension.example, *(["unlimited"] if quantity.unlimited else [])]
    described = f"{quantity.dimension.name}, with its unit"
    return {"description": described, "type": "string", "pattern": quantity.pattern(), "examples": examples}


def _price(dimension: Dimension) -> Schema:
    """A text, or a mapping; not even `value` is required of it, because the library may give it."""
    quantity: Schema = {"$ref": _DEFINITIONS + _name(Quantity(dimension))}
    fields: Schema = {
        "value": quantity,
        "low": quantity | {"description": "lower end of the range; the value where left out"},
        "high": quantity | {"description": "upper end of the range; the value where left out"},
        "data": {"type": "number", "minimum": 0, "maximum": 1, "description": Price.model_fields["data"].description},
        "boundary": {"enum": list(get_args(Boundary)), "description": Figure.model_fields["boundary"].description},
        "grade": {"enum": list(get_args(Grade)), "description": "how the figure was come by"},
        "source": {"type": "string", "description": "where the figure is from"},
    }
    mapping = {"type": "object", "properties": fields, "minProperties": 1, "additionalProperties": False}
    described = f"{dimension.name}: a text, or a mapping with its range and source"
    return {"description": described, "anyOf": [quantity, mapping]}
