"""Cuts a prompt where a text encoder stops reading, in any script, and says what was cut."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

MAX_WORD = 40
"""Characters of a word that is dropped whole rather than read in part."""
SHOWN, SHOWN_END = 80, 30
"""Characters of the words that were cut which a note repeats, at their beginning and end."""
LEAST = 3
"""Tokens that an encoder must read: the marks of start and end, and a word."""
JOINER = "\u200d"

TokenEnds = Callable[[str], Sequence[int]]
"""Where each token of a text ends, in characters from its beginning, in order."""


def read_length(prompt: str, token_ends: TokenEnds, limit: int) -> int:
    """How many characters of a prompt are read by an encoder that reads ``limit`` tokens.

    The time grows with the prompt's length and no faster.
    """
    ends = token_ends(prompt)
    if len(ends) <= limit:
        return len(prompt)
    kept = limit
    while kept > 0:
        # A character may take several tokens, which end at the same place.
        while kept > 0 and ends[kept] <= ends[kept - 1]:
            kept -= 1
        place = _boundary(prompt, ends[kept - 1]) if kept else 0
        # The beginning of a word may take more tokens than it does in the whole word.
        if len(token_ends(prompt[:place])) <= limit:
            return place
        kept -= max(1, kept // 16)
    return 0


def describe_cut(label: str, rest: str) -> str:
    """The sentence about the end of a prompt that a model did not read."""
    words = " ".join(rest.split())
    if len(words) > SHOWN + SHOWN_END:
        words = f"{words[:SHOWN]} … {words[-SHOWN_END:]}"
    return f"The prompt is too long for {label}: “{words}” was not read."


def _boundary(text: str, end: int) -> int:
    """The last place up to ``end`` where no word and no character is cut in two."""
    place = end
    while place > 0 and _is_inside_word(text, place) and end - place < MAX_WORD:
        place -= 1
    if _is_inside_word(text, place):
        place = end
    while 0 < place < len(text) and _is_inside_character(text, place):
        place -= 1
    return place or end


def _is_inside_word(text: str, place: int) -> bool:
    """Whether letters meet at a place, in a script that puts blanks between words."""
    around = text[max(0, place - 1) : place + 1]
    is_spaced = all(unicodedata.east_asian_width(letter) not in "WF" for letter in around)
    return len(around) == 2 and place > 0 and around.isalnum() and is_spaced


def _is_inside_character(text: str, place: int) -> bool:
    """Whether what stands at a place belongs to the character before it."""
    here = text[place]
    if unicodedata.category(here).startswith("M") or here == JOINER or text[place - 1] == JOINER:
        return True
    code = ord(here)
    is_skin_tone, is_tag = 0x1F3FB <= code <= 0x1F3FF, 0xE0020 <= code <= 0xE007F
    is_jamo = 0x1160 <= code <= 0x11FF
    is_half_flag = _is_flag(here) and _flags_before(text, place) % 2 == 1
    return is_skin_tone or is_tag or is_jamo or is_half_flag


def _is_flag(letter: str) -> bool:
    """Whether a character is one of the two that make a flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _flags_before(text: str, place: int) -> int:
    count = 0
    while count < place and _is_flag(text[place - 1 - count]):
        count += 1
    return count


def encoder_limit(declared: object, positions: int) -> int:
    """The tokens that an encoder reads: what its tokenizer declares, never more than it can."""
    if isinstance(declared, bool) or not isinstance(declared, (int, float)):
        return positions
    return int(declared) if LEAST <= declared < positions else positions


def ends_by(tokenizer: Any, text: str) -> list[int]:
    """Where each token of a transformers tokenizer ends, without marks of start and end."""
    found = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
    )
    return [end for _, end in found["offset_mapping"]]
