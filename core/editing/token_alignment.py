"""Which tokens of two prompts belong together, by the pieces a text encoder cuts them into."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt


def align_tokens(source: Sequence[str], target: Sequence[str], swaps: bool = False) -> list[int]:
    """For every piece of the target its index in the source, -1 for a new one.

    With ``swaps`` a run of pieces that replaces another belongs to it, spread evenly.
    """
    indices = [-1] * len(target)
    for kind, left, right, start, stop in _runs(source, target):
        if kind == "equal" or (kind == "replace" and swaps):
            for offset in range(stop - start):
                indices[start + offset] = left + offset * (right - left) // (stop - start)
    return indices


def exchange_weights(
    source: Sequence[str], target: Sequence[str], length: int, swaps: bool = False
) -> npt.NDArray[np.float32]:
    """How the attention maps of a source are added up to those of a target.

    Returns (length, length) float32, 0..1: column k holds the weight of each of the source's maps
    in the target's map k, and is all 0 where the target keeps its own. A shared piece takes the map
    of its counterpart; a position after the target's last piece, which is padding, that of the same
    position. With ``swaps`` a run of pieces that replaces another takes its maps: one by one where
    both are equally long, else each of n pieces takes 1/n of their sum.
    """
    weights = np.zeros((max(len(source), length), max(len(target), length)), np.float32)
    for kind, left, right, start, stop in _runs(source, target):
        if kind == "equal" or (kind == "replace" and swaps and right - left == stop - start):
            weights[range(left, right), range(start, stop)] = 1
        elif kind == "replace" and swaps:
            weights[left:right, start:stop] = 1 / (stop - start)
    padding = range(len(target), length)
    weights[padding, padding] = 1
    return weights[:length, :length]


def replaced_runs(source: Sequence[str], target: Sequence[str]) -> list[tuple[range, range]]:
    """The runs of pieces that others replace: indices in the source, and in the target."""
    return [
        (range(left, right), range(start, stop))
        for kind, left, right, start, stop in _runs(source, target)
        if kind == "replace"
    ]


def find_differing_tokens(
    source: Sequence[str], target: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The indices of tokens that only one of the two prompts has: of the source, of the target."""
    gone: list[int] = []
    new: list[int] = []
    for kind, left, right, start, stop in _runs(source, target):
        if kind != "equal":
            gone.extend(range(left, right))
            new.extend(range(start, stop))
    return gone, new


def _runs(source: Sequence[str], target: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """The runs of equal and different pieces, as ``difflib`` names and bounds them."""
    matcher = SequenceMatcher(None, list(source), list(target), autojunk=False)
    return list(matcher.get_opcodes())


def token_indices(sentence: Sequence[str], words: Sequence[str]) -> list[int]:
    """The indices in a sentence of the pieces of some words, start and end marks left out."""
    wanted = [piece for piece in words if not _is_mark(piece)]
    return [index for index, piece in enumerate(sentence) if piece in wanted]


def _is_mark(piece: str) -> bool:
    """A start or end mark of an encoder, such as [CLS] or <|endoftext|>."""
    return (piece[:1], piece[-1:]) in {("[", "]"), ("<", ">")} and len(piece) > 2
