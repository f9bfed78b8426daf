"""Which tokens of two prompts belong together, by the pieces a text encoder cuts them into."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def align_tokens(source: Sequence[str], target: Sequence[str], swaps: bool = False) -> list[int]:
    """For every piece of the target its index in the source, -1 for a new one.

    With ``swaps`` a run of pieces that replaces another belongs to it, spread evenly.
    """
    indices = [-1] * len(target)
    matcher = SequenceMatcher(None, list(source), list(target), autojunk=False)
    for kind, left, right, start, stop in matcher.get_opcodes():
        if kind == "equal" or (kind == "replace" and swaps):
            for offset in range(stop - start):
                indices[start + offset] = left + offset * (right - left) // (stop - start)
    return indices


def find_differing_tokens(
    source: Sequence[str], target: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The indices of tokens that only one of the two prompts has: of the source, of the target."""
    matcher = SequenceMatcher(None, list(source), list(target), autojunk=False)
    gone: list[int] = []
    new: list[int] = []
    for kind, left, right, start, stop in matcher.get_opcodes():
        if kind != "equal":
            gone.extend(range(left, right))
            new.extend(range(start, stop))
    return gone, new


def token_indices(sentence: Sequence[str], words: Sequence[str]) -> list[int]:
    """The indices in a sentence of the pieces of some words, start and end marks left out."""
    wanted = [piece for piece in words if not _is_mark(piece)]
    return [index for index, piece in enumerate(sentence) if piece in wanted]


def _is_mark(piece: str) -> bool:
    """A start or end mark of an encoder, such as [CLS] or <|endoftext|>."""
    return (piece[:1], piece[-1:]) in {("[", "]"), ("<", ">")} and len(piece) > 2
