"""The language as JSON Schema (draft 2020-12), for editors that complete and check while one types.

Written from the same table as the checker. A schema cannot say what one value says about another (an
address that exists, a time that is a multiple of the step) and leaves that to `load`; in place of any value
it takes a reference `${name}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from burstchip.frontend.kinds import (
    Address,
    Anything,
    Forms,
    Key,
    Kind,
    ListOf,
    Name,
    Named,
    QuantityOf,
    Record,
    Row,
    Text,
    Variants,
    Whole,
    Word,
)
from burstchip.frontend.language import language
from burstchip.frontend.scalars import expected
from burstchip.frontend.substitute import NAME
from burstchip.frontend.units import NUMBER
from hw_models.neurons.model import BASE_UNITS, NeuronModel

Schema = dict[str, Any]

_REFERENCE: Schema = {"$ref": "#/$defs/reference"}

#: What a text of the language may be to YAML: a network may be called 5, a population `true`.
_SINGLE = ["string", "number", "boolean"]
_WORD = ["string", "boolean"]


def network_schema(models: Mapping[str, NeuronModel] | None = None) -> Schema:
    """The JSON Schema of a network file that may use these neuron models, by default all registered ones."""
    if models is None:
        from hw_models.neurons.registry import models as registered

        models = registered()
    definitions: dict[str, Schema] = {
        "reference": {
            "description": "a parameter, ${name}",
            "type": "string",
            "pattern": rf"\$\{{{NAME}\}}",
        }
    }
    root = _schema(language(models), definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A burstchip network",
        **root,
        "$defs": definitions,
    }


def _schema(kind: Kind, definitions: dict[str, Schema]) -> Schema:
    if isinstance(kind, Record):
        return _record(kind, definitions)
    if isinstance(kind, Variants):
        return _variants(kind, definitions)
    if isinstance(kind, Named):
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^{NAME}$"},
            "minProperties": kind.fewest,
            "additionalProperties": _value(kind.item, definitions),
        }
    if isinstance(kind, ListOf):
        return {"type": "array", "minItems": kind.fewest, "items": _value(kind.item, definitions)}
    if isinstance(kind, Row):
        return {
            "type": "array",
            "minItems": len(kind.items) - kind.optional,
            "prefixItems": [_value(item, definitions) for item in kind.items],
            "items": False,
        }
    if isinstance(kind, Forms):
        ways = [kind.single] if kind.single is not None else []
        ways += [kind.listing] if kind.listing is not None else []
        return {"anyOf": [_schema(way, definitions) for way in (*ways, *kind.records)]}
    return _single(kind)


def _value(kind: Kind, definitions: dict[str, Schema]) -> Schema:
    """A value of this kind, or a reference to one."""
    return {"anyOf": [_schema(kind, definitions), _REFERENCE]}


def _single(kind: Kind) -> Schema:
    if isinstance(kind, QuantityOf):
        return _quantity(kind)
    if isinstance(kind, Whole):
        whole = {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum}
        return {"anyOf": [whole, {"type": "string", "pattern": rf"^\s*{NUMBER}\s*$"}]}
    if isinstance(kind, Word):
        return {"enum": list(kind.options)}
    if isinstance(kind, Name):
        return {"type": _WORD, "pattern": f"^{NAME}$"}
    if isinstance(kind, Address):
        return {"type": _WORD, "pattern": rf"^{NAME}(\.{NAME})?$"}
    if isinstance(kind, Anything):
        return {"type": _SINGLE} if kind.single else {"not": {"type": "null"}}
    assert isinstance(kind, Text)
    if kind.characters is None:
        return {"type": _SINGLE}
    return {"type": _SINGLE, "pattern": f"^[{kind.characters}]{{1,200}}$"}


def _quantity(kind: QuantityOf) -> Schema:
    if kind.dimension is not None and BASE_UNITS[kind.dimension]:
        return {
            "type": "string",
            "pattern": rf"^\s*{NUMBER}\s*[A-Za-zµμ/1].*$",
            "description": expected(kind),
            "examples": [f"20 {BASE_UNITS[kind.dimension]}"],
        }
    number: Schema = {"type": "integer" if kind.whole else "number"}
    bounds = {"minimum": kind.minimum, "maximum": kind.maximum, "exclusiveMinimum": kind.above}
    number |= {name: bound for name, bound in bounds.items() if bound is not None}
    # 2^-5 and 50 % are texts to YAML.
    unit = {None: ".*", "fraction": r"\s*%?\s*"}.get(kind.dimension, r"\s*")
    return {"anyOf": [number, {"type": "string", "pattern": rf"^\s*{NUMBER}{unit}$"}]}


def _key(key: Key, definitions: dict[str, Schema]) -> Schema:
    default = {} if key.default is None else {"default": key.default}
    return {"description": key.doc, **default, **_value(key.kind, definitions)}


def _record(record: Record, definitions: dict[str, Schema]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {key.name: _key(key, definitions) for key in record.keys},
        "required": [key.name for key in record.keys if key.required],
        "additionalProperties": False,
    }
    if record.one_of:
        schema["allOf"] = [
            {"oneOf": [{"anyOf": [{"required": [name]} for name in names]} for names in group]}
            for group in record.one_of
        ]
    if record.apart:
        schema["not"] = {"anyOf": [{"required": list(pair)} for pair in record.apart]}
    if record.together:
        schema["dependentRequired"] = {
            name: [other for other in names if other != name] for names in record.together for name in names
        }
    return schema


def _variants(kind: Variants, definitions: dict[str, Schema]) -> Schema:
    selector = kind.selector.name
    branches: list[Schema] = []
    for word, record in kind.records.items():
        definition = f"{kind.what.removeprefix('a ')}.{word}"
        definitions[definition] = _record(record, definitions)
        condition: Schema = {"properties": {selector: {"const": word}}}
        # Without the key the condition holds, which is right for the default alone.
        if word != kind.selector.default:
            condition["required"] = [selector]
        branches.append({"if": condition, "then": {"$ref": f"#/$defs/{definition}"}})
    every_key = sorted({key.name for record in kind.records.values() for key in record.keys})
    return {
        "type": "object",
        "properties": {selector: _key(kind.selector, definitions)},
        "required": [selector] if kind.selector.required else [],
        "propertyNames": {"enum": every_key},
        "allOf": branches,
    }
