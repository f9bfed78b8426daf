"""Sentences for the person: every window, terminal and log can show them."""

import pytest

from core.errors import EditorError, FileError, readable


@pytest.mark.parametrize("text", ["caf\udce9.png", "a\ud83d", "plain", "é絵"])
def test_a_sentence_is_readable(text: str) -> None:
    for sentence in (readable(text), str(EditorError(text)), str(FileError(text))):
        assert sentence.encode()
        assert sentence.startswith(text[:1])
    assert readable("é絵") == "é絵"
