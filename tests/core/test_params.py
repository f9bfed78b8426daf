"""Parameters: from a dataclass to fields, JSON and back, every mistake named."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from core.errors import EditorError
from core.params import (
    Choice,
    File,
    ModelName,
    Prompt,
    Range,
    SourcePrompt,
    Strength,
    Switch,
    Text,
    field_marked,
    fields,
    from_json,
    named_files,
    named_models,
    to_json,
    values_by_name,
)


@dataclass(frozen=True)
class Params:
    prompt: Annotated[str, Text("Prompt")] = "x"
    strength: Annotated[float, Range(0, 1, label="Strength")] = 0.5
    steps: Annotated[int, Range(1, 50)] = 20
    sampler: Annotated[str, Choice(("ddim", "euler"))] = "ddim"
    live: bool = True
    palette: Annotated[str, File("Palette")] = ""
    judge: Annotated[str, ModelName("Judge")] = ""


def test_fields_say_what_a_form_needs() -> None:
    found = {field.name: field for field in fields(Params)}
    assert [field.label for field in found.values()] == [
        "Prompt", "Strength", "Steps", "Sampler", "Live", "Palette", "Judge",
    ]  # fmt: skip
    assert found["steps"].type is int
    assert isinstance(found["live"].marker, Switch)
    assert found["strength"].default == 0.5


@dataclass(frozen=True)
class Marked:
    text: Annotated[str, Prompt("What it becomes")] = ""
    more: Annotated[str, Text("More")] = ""
    amount: Annotated[float, Strength(0, 1)] = 1.0
    second: Annotated[float, Strength(0, 1)] = 0.5
    strength: Annotated[float, Range(0, 1)] = 0.0


def test_a_parameter_is_found_by_its_marker_not_by_its_name() -> None:
    names = [field and field.name for field in map(marked, (Prompt, Strength, SourcePrompt))]
    assert names == ["text", "amount", None]
    given: dict[Any, Any] = {Prompt: "a cat", Strength: 0.3, SourcePrompt: "a dog"}
    assert values_by_name(Marked, given) == {"text": "a cat", "amount": 0.3}


def marked(meaning: Any) -> Any:
    return field_marked(Marked, meaning)


def test_json_and_back() -> None:
    params = Params("a cat", 0.25, 7, "euler", False, "/tmp/sea.png", "/tmp/model")
    assert from_json(Params, to_json(params)) == params
    assert from_json(Params, {}) == Params()


def test_words_from_a_command_line_become_values() -> None:
    made = from_json(Params, {"strength": "0.7", "steps": "9", "live": "false"})
    assert (made.strength, made.steps, made.live) == (0.7, 9, False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": 3}, "Unknown parameter 'size'; there are: prompt, strength"),
        ({"strength": 1.5}, "Strength must lie between 0 and 1, not 1.5"),
        ({"strength": "much"}, "Strength must be a float, not 'much'"),
        ({"strength": float("nan")}, "Strength must be a finite number"),
        ({"strength": float("inf")}, "Strength must be a finite number"),
        ({"steps": "many"}, "Steps must be a int, not 'many'"),
        ({"steps": None}, "Steps must be a int"),
        ({"sampler": "magic"}, "Sampler must be one of ddim, euler"),
        ({"live": "perhaps"}, "Live must be a bool"),
        ({"palette": 3}, "Palette must be the path of a file as text, not 3"),
        ({"palette": None}, "Palette must be the path of a file as text, not None"),
        ({"judge": 3}, "Judge must be a model's name or path as text, not 3"),
        ({"judge": None}, "Judge must be a model's name or path as text, not None"),
    ],
)
def test_a_mistake_is_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EditorError, match=sentence):
        from_json(Params, values)


def test_models_are_those_that_are_named() -> None:
    named = {"judge": "toy", "palette": "sea.png", "prompt": "b"}
    assert [(field.name, name) for field, name in named_models(Params, named)] == [("judge", "toy")]
    for nothing in ({}, {"judge": ""}, {"judge": 3}):
        assert list(named_models(Params, nothing)) == []


def test_files_are_those_that_are_named() -> None:
    named = {"palette": "sea.png", "prompt": "b.png", "judge": "toy"}
    assert [(field.name, path) for field, path in named_files(Params, named)] == [
        ("palette", Path("sea.png"))
    ]
    for nothing in ({}, {"palette": ""}, {"palette": 3}):
        assert list(named_files(Params, nothing)) == []
