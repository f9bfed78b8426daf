"""Both themes can be read."""

import pytest

from editor.widgets.theme import DARK, LIGHT, THEMES, Tokens, contrast

THEME = pytest.mark.parametrize("tokens", list(THEMES.values()), ids=list(THEMES))


@THEME
@pytest.mark.parametrize("ink", ["text", "dim", "danger", "ok", "accent"])
def test_words_stand_out_on_every_ground(tokens: Tokens, ink: str) -> None:
    for ground in ("panel", "well"):
        assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5, ground


@THEME
def test_words_on_the_accent_stand_out(tokens: Tokens) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


def test_contrast_is_the_published_ratio() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert DARK != LIGHT
