"""Parameters, declared once as a frozen dataclass: form, range check, command line and JSON follow.

@dataclass(frozen=True)
class Params:
    prompt: Annotated[str, Prompt("Prompt")] = ""
    strength: Annotated[float, Strength(0, 1, label="Strength")] = 0.7
    sampler: Annotated[str, Choice(("ddim", "euler"))] = "ddim"

The marker says what a parameter means to the rest of the program; the name says nothing. A
number marked Range or a text marked Text is a dial or a line of the form and nothing more.
"""

import dataclasses
import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from core.errors import EditorError

Value = bool | int | float | str


@dataclass(frozen=True)
class Range:
    """A number between two ends, both allowed; ``unit`` is shown after it."""

    low: float
    high: float
    label: str = ""
    unit: str = ""
    step: float | None = None
    help: str = ""


@dataclass(frozen=True)
class Choice:
    """One of a few options; ``names`` are what a person reads instead of them.

    ``brings`` are the values of other parameters that an option was published with: option, name,
    value. They are taken with the option, and free to be changed.
    """

    options: tuple[str, ...]
    label: str = ""
    help: str = ""
    names: tuple[str, ...] = ()
    brings: tuple[tuple[str, str, Value], ...] = ()


@dataclass(frozen=True)
class Text:
    """Free text; ``lines`` is how tall its field is."""

    label: str = ""
    lines: int = 1
    help: str = ""


@dataclass(frozen=True)
class Switch:
    """On or off."""

    label: str = ""
    help: str = ""


@dataclass(frozen=True)
class File:
    """The path of a file, or nothing.

    ``kinds`` are file endings with their dot; "image" stands for every picture that can be opened.
    """

    label: str = ""
    help: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folder(File):
    """The path of a folder, or nothing."""


@dataclass(frozen=True)
class PictureFile(File):
    """The path of a picture, or nothing; the technique's task carries the picture itself."""

    kinds: tuple[str, ...] = ("image",)


@dataclass(frozen=True)
class ModelName:
    """The id or path of a model besides the recipe's own, or nothing.

    ``none`` is what a person reads where nothing is named.
    """

    label: str = ""
    help: str = ""
    none: str = "None"


class Strength(Range):
    """How much an edit changes, from 0 for the picture as it is to 1."""

    usual_name: ClassVar[str] = "strength"


class Depth(Range):
    """How early in the walk an edit starts, from 0 for the end to 1 for pure noise."""

    usual_name: ClassVar[str] = "depth"


@dataclass(frozen=True)
class GuidanceScale(Range):
    """The scale of classifier-free guidance, 1 for none; the default is the technique's own.

    ``embedded`` is the technique's own value for networks that read their guidance as a number;
    None where none was published, so that the model's usual value is taken.
    """

    embedded: float | None = None


class Guidance(GuidanceScale):
    """The scale of guidance towards the prompt."""

    usual_name: ClassVar[str] = "guidance"


class SourceGuidance(GuidanceScale):
    """The scale of guidance towards what the picture shows before the edit."""

    usual_name: ClassVar[str] = "source_guidance"


class Steps(Range):
    """How many steps, or draws, a technique takes; a model says how many are usual."""

    usual_name: ClassVar[str] = "steps"


class Prompt(Text):
    """What the result should show."""

    usual_name: ClassVar[str] = "prompt"


class SourcePrompt(Text):
    """What the picture shows before the edit."""

    usual_name: ClassVar[str] = "source_prompt"


class NegativePrompt(Text):
    """What the result should not show."""

    usual_name: ClassVar[str] = "negative_prompt"


class BrushSize(Range):
    """The diameter in canvas pixels: the outline under the pointer shows it, keys change it."""


class BrushHardness(Range):
    """How sharp the edge is, in per cent; keys change it."""


PROMPTS = (Prompt, SourcePrompt, NegativePrompt)
Marker = Range | Choice | Text | Switch | File | ModelName
Meaning = (
    type[Strength]
    | type[Depth]
    | type[Guidance]
    | type[SourceGuidance]
    | type[Steps]
    | type[Prompt]
    | type[SourcePrompt]
    | type[NegativePrompt]
)
"""A marker that says what a parameter means to others.

``usual_name`` finds the parameter in a recipe whose technique is not installed, where there are no
markers to go by.
"""


@dataclass(frozen=True)
class Field:
    """One parameter as a form sees it: name, Python type, default and marker."""

    name: str
    type: type
    default: Value
    marker: Marker

    @property
    def label(self) -> str:
        return self.marker.label or self.name.replace("_", " ").capitalize()


P = TypeVar("P")


def fields(params: type[Any]) -> list[Field]:
    """The declared parameters of a Params dataclass, in order."""
    return list(_fields(params))


def _fields(params: type[Any]) -> Iterator[Field]:
    hints = typing.get_type_hints(params, include_extras=True)
    for item in dataclasses.fields(params):
        hint = hints[item.name]
        base = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
        marked = [m for m in typing.get_args(hint)[1:] if isinstance(m, Marker)]
        default: Any = item.default
        yield Field(item.name, base, default, marked[0] if marked else _plain(base))


def _plain(base: type) -> Marker:
    return Switch() if base is bool else Text()


def field_marked(params: type[Any], marker: type[Marker]) -> Field | None:
    """The parameter with a marker, the first if there are several; None if there is none."""
    return next((f for f in _fields(params) if isinstance(f.marker, marker)), None)


def values_by_name(params: type[Any], values: Mapping[Meaning, Value]) -> dict[str, Value]:
    """Values by parameter name; those that no parameter is marked for are left out."""
    marked = [(field_marked(params, meaning), value) for meaning, value in values.items()]
    return {field.name: value for field, value in marked if field is not None}


def values_brought(params: type[Any], chosen: Mapping[str, Any]) -> dict[str, Value]:
    """The values of other parameters that come with chosen options."""
    return {
        name: value
        for field in _fields(params)
        if isinstance(field.marker, Choice)
        for option, name, value in field.marker.brings
        if chosen.get(field.name) == option
    }


def to_json(params: Any) -> dict[str, Value]:
    """A Params instance as plain values by name."""
    return dict(dataclasses.asdict(params))


def named_files(params: type[Any], values: Mapping[str, Any]) -> Iterator[tuple[Field, Path]]:
    """The files that values name, each with its parameter."""
    for field, value in _values_marked(params, values, File):
        yield field, Path(value)


def named_models(params: type[Any], values: Mapping[str, Any]) -> Iterator[tuple[Field, str]]:
    """The models that values name, each with its parameter."""
    return _values_marked(params, values, ModelName)


def _values_marked(
    params: type[Any], values: Mapping[str, Any], marker: type[File | ModelName]
) -> Iterator[tuple[Field, str]]:
    for field in fields(params):
        value = values.get(field.name)
        if isinstance(field.marker, marker) and isinstance(value, str) and value:
            yield field, value


def from_json(cls: type[P], values: Mapping[str, Any]) -> P:
    """Build a Params instance, checking names, types and ranges.

    Raises EditorError naming the parameter that is unknown, of another type or out of range.
    """
    known = {field.name: field for field in fields(cls)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise EditorError(f"Unknown parameter {unknown[0]!r}; there are: {', '.join(known)}.")
    return cls(**{name: check(known[name], value) for name, value in values.items()})


def check(field: Field, value: Any) -> Value:
    """The value as the field's type. Raises EditorError that says what would be right."""
    if isinstance(field.marker, Choice) and value not in field.marker.options:
        raise EditorError(f"{field.label} must be one of {', '.join(field.marker.options)}.")
    if isinstance(field.marker, File) and not isinstance(value, str):
        raise EditorError(f"{field.label} must be the path of a file as text, not {value!r}.")
    if isinstance(field.marker, ModelName) and not isinstance(value, str):
        raise EditorError(f"{field.label} must be a model's name or path as text, not {value!r}.")
    converted = _convert(field, value)
    if isinstance(field.marker, Range):
        low, high = field.marker.low, field.marker.high
        if not low <= float(converted) <= high:
            raise EditorError(f"{field.label} must lie between {low:g} and {high:g}, not {value}.")
    return converted


def _convert(field: Field, value: Any) -> Value:
    try:
        if field.type is bool and isinstance(value, str):
            return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
        converted: Value = field.type(value)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        kind = field.type.__name__
        raise EditorError(f"{field.label} must be a {kind}, not {value!r}.") from error
    if isinstance(converted, float) and not math.isfinite(converted):
        raise EditorError(f"{field.label} must be a finite number.")
    return converted
