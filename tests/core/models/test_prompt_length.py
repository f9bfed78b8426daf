"""Prompts are cut where the encoder stops reading, in every script, and the rest is told."""

from pathlib import Path
from typing import Any

import pytest

from core.models.opening import open_model
from core.models.prompt_length import describe_cut, encoder_limit, read_length
from tests import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_model(str(tiny.saved(tmp_path_factory.mktemp("words"))))


def letters(text: str) -> list[int]:
    """A tokenizer with a token for each character."""
    return list(range(1, len(text) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "red cat " * 200,
        "夕焼けの海辺を歩く少女と犬水彩画風" * 8,
        "red_hair,white_blouse," * 30,
        "supercalifragilistic" * 40,
        "👩‍👩‍👧🇩🇪👍🏽" * 30,
        "e\u0301a\u0300\u0323" * 80,
        "สวัสดีชาวโลก" * 20,
        "नमस्ते दुनिया " * 20,
        "한국어문장입니다" * 20,
        "مرحبا بالعالم " * 20,
    ],
)
def test_what_the_encoder_does_not_read_is_told_in_every_script(text: str, model: Any) -> None:
    model.notes.clear()
    (read,) = model.embed([text]).prompts
    assert read
    assert text.startswith(read)
    assert model.fits(read)
    (note,) = model.notes
    rest = " ".join(text[len(read) :].split())
    assert "was not read" in note
    assert rest[:40] in note
    assert rest[-20:] in note


@pytest.mark.parametrize(
    ("text", "limit", "read"),
    [
        ("one two three", 9, "one two "),
        ("one two three", 7, "one two"),
        ("x" * 100, 50, "x" * 50),
        ("海辺の犬", 2, "海辺"),
        ("ab👍🏽cd", 3, "ab"),
        ("👩‍👩‍👧 b", 4, "👩‍👩‍👧"[:4]),
        ("🇩🇪🇫🇷", 3, "🇩🇪"),
        ("ae\u0301\u0323o", 3, "a"),
        ("a red", 0, ""),
    ],
)
def test_neither_words_nor_characters_are_cut_in_two(text: str, limit: int, read: str) -> None:
    assert text[: read_length(text, letters, limit)] == read


def test_a_character_of_several_tokens_is_read_whole_or_not() -> None:
    ends = [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert read_length("犬猫鳥", lambda text: ends[: 3 * len(text)], 5) == 1


def test_the_end_of_blanks_is_no_loss(model: Any) -> None:
    model.notes.clear()
    model.embed(["a red cat" + " " * 5000])
    assert model.notes == []


def test_characters_that_are_tokenized_grow_with_the_prompt_and_no_faster() -> None:
    sizes = []
    for words in (500, 2000):
        work: list[int] = []

        def count(text: str, work: list[int] = work) -> list[int]:
            work.append(len(text))
            return letters(text)

        read_length("masterpiece, red cat " * words, count, 77)
        sizes.append(sum(work))
    assert sizes[1] < 4.1 * sizes[0]


def test_a_long_rest_is_shown_by_its_ends() -> None:
    note = describe_cut("Toy", "word " * 100_000 + "end")
    assert len(note) < 200
    assert note.endswith("word end” was not read.")


@pytest.mark.parametrize("declared", [10**30, None, {"a": 1}, -1, 0, True, "77", float("nan")])
def test_an_odd_declared_length_is_that_of_the_encoder(declared: object) -> None:
    assert encoder_limit(declared, 77) == 77
    assert encoder_limit(40, 77) == 40


def test_a_tokenizer_without_a_length_reads_what_the_encoder_reads(tmp_path: Path) -> None:
    import json

    home = tiny.saved(tmp_path)
    config = home / "tokenizer" / "tokenizer_config.json"
    values = json.loads(config.read_text())
    values["model_max_length"] = 10**30
    config.write_text(json.dumps(values))
    tokens: Any = open_model(str(home)).embed(["a red cat " * 60]).tokens
    assert tokens.shape[1] == 77
