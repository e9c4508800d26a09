"""Whether services.yaml has the form that its JSON Schema asks for, and what can still be used where it has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.errors import Mistake
from schemas.nearest import nearest
from schemas.yaml_positions import Document, Path

__all__ = ["mistakes", "usable"]

KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}
TYPES = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false"}
NAMES = {"environments": "environment", "services": "service", "databases": "database", "severity": "rule"}
SEVERITY = ("lint", "severity")

ENTRY = {"engine", "name"}
KEYS = {"additionalProperties", "required", "minProperties"}  # what a mapping holds, not whether it is one


def mistakes(document: Document, schema: dict[str, Any]) -> tuple[list[Mistake], list[tuple[Path, Any]]]:
    """Compare with the schema; return the mistakes, and what to put in place of each part that cannot be used."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - not needed while the file is as last checked

    found: list[Mistake] = []
    repairs: list[tuple[Path, Any]] = []
    for error in Draft202012Validator(schema).iter_errors(document.data):
        path: Path = tuple(error.absolute_path)
        found += _worded(document, path, error)
        if error.validator == "type" and error.validator_value == "object":
            repairs.append((path, {}))
        elif error.validator not in KEYS and "propertyNames" not in error.absolute_schema_path:
            repairs.append((path, None))
    return found, repairs


def usable(data: dict[str, Any], repairs: list[tuple[Path, Any]]) -> dict[str, Any]:
    """Return the data without its unusable parts: None for a value, an empty mapping for what should be one."""
    for path, instead in sorted(repairs, key=lambda repair: -len(repair[0])):
        part: Any = data
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = instead
    return data


def _worded(document: Document, path: Path, error: Any) -> Iterator[Mistake]:
    value, rule = error.instance, error.validator
    if "propertyNames" in error.absolute_schema_path:
        yield document.mistake(document.at_key((*path, value)), *_name(path, error))
    elif rule == "additionalProperties":
        valid = error.schema["properties"]
        for key in [key for key in value if key not in valid]:
            message = f"unknown key `{key}`{nearest(key, valid)}"
            yield document.mistake(document.at_key((*path, key)), message, f"expected {_choice(valid)}")
    elif rule == "required":
        missing = error.message.split("'")[1]
        if not any(nearest(key, (missing, "owner")) for key in value):  # a mistyped key is reported as one already
            here = f"`{_label(path)}`" if path else "the file"
            hint = "a database has an engine and a name; a reference has an owner" if missing in ENTRY else ""
            mark = document.at_value(path) if path and isinstance(path[-1], int) else document.at_key(path)
            yield document.mistake(mark, f"{here} lacks the key `{missing}`", hint)
    else:
        mark = document.at_key(path) if value is None else document.at_value(path)
        yield document.mistake(mark, *_value(_label(path), error))


def _label(path: Path) -> str:
    """What a place is called: its key, or what a key that names a file stands for, or an item by its number."""
    if path[:2] == SEVERITY and len(path) > len(SEVERITY) + 1:
        return "severity"
    return str(path[-1]) if isinstance(path[-1], str) else f"{path[-2]} {path[-1] + 1}"


def _value(key: str, error: Any) -> tuple[str, str]:
    """Word a value that is not what its key takes, and what would be."""
    value, wanted = error.instance, error.validator_value
    match error.validator:
        case "type":
            expected = " or ".join(TYPES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))
            return f"`{key}`: expected {expected}, found {_kind(value)}", ""
        case "enum":
            return f"unknown {key} {_shown(value)}{nearest(str(value), wanted)}", f"expected {_choice(wanted)}"
        case "const":
            return f"`{key}`: {_shown(value)} is not known; this program reads {wanted}", ""
        case "minProperties" | "minLength" | "minItems" | "uniqueItems":
            return f"`{key}` {'names one twice' if error.validator == 'uniqueItems' else 'is empty'}", ""
        case "maxLength":
            return f"`{key}`: `{value}` has {len(value)} characters; at most {wanted} are taken", ""
    return f"`{key}`: `{value}` is not {error.schema['patternErrorMessage']}", ""


def _name(path: Path, error: Any) -> tuple[str, str]:
    """Word a key that may not stand where it does."""
    key = error.instance
    kind = NAMES.get(str(path[-1]), "place" if path[:2] == SEVERITY else "") if path else ""
    if error.validator == "enum":
        return f"`{key}` does not go with `owner`: a reference takes only {_choice(error.validator_value)}", ""
    if error.validator == "not":
        return f"`{key}` cannot name an environment: @{key} means every one", ""
    if error.validator == "maxLength":
        return f"the {kind}'s name `{key}` has {len(key)} characters; at most {error.validator_value} are taken", ""
    return f"`{key}` cannot name a {kind}", f"expected {error.schema['patternErrorMessage']}"


def _choice(words: Any) -> str:
    *others, last = [f"`{word}`" for word in words]
    return f"{', '.join(others)} or {last}" if others else last


def _kind(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else KINDS[type(value)]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int | float) else KINDS[type(value)]
