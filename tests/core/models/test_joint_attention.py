"""Joint attention is shown in order with the words first, and an idle control changes nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core.diffusion.attention import AttentionLayer, AttentionStates
from core.models.joint_attention import attention_layers
from tests import tiny_flow


class Watching:
    """A control that changes nothing and keeps the maps and values of each layer."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[AttentionLayer, Tensor, Tensor]] = {}

    def __call__(
        self, place: AttentionLayer, query: Tensor, key: Tensor, value: Tensor
    ) -> AttentionStates:
        self.value = value
        return query, key, value

    def maps(self, place: AttentionLayer, maps: Tensor) -> Tensor:
        self.seen[place.name] = (place, maps, self.value)
        return maps


def test_layers_are_shown_in_order_with_words_first(model: Any) -> None:
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    level, control = model.levels(4)[1], Watching()
    words = model.embed(["a cat"])
    other = replace(words, tokens=words.tokens + 1)
    plain = model.denoiser(words)(z, level).x0
    with model.attention(control):
        assert torch.allclose(model.denoiser(words)(z, level).x0, plain, atol=1e-5)
        first = dict(control.seen)
        model.denoiser(other)(z, level)
    count = words.tokens.shape[1]
    if model.id == "diffusers-sd3":
        start, alone = "transformer_blocks.0.attn", "transformer_blocks.0.attn2"
        assert list(first) == [start, alone, "transformer_blocks.1.attn"]
        assert first[alone][0].prompt_tokens == 0
        assert first[alone][1].shape == (1, 2, 16, 16)
    else:
        start = "transformer_blocks.0.attn"
        assert list(first) == [start, "single_transformer_blocks.0.attn"]
    place, maps, v = first[start]
    last = next(reversed(first.values()))
    assert place.prompt_tokens == last[0].prompt_tokens == count
    assert maps.shape == last[1].shape == (1, 2, count + 16, count + 16)
    assert torch.allclose(maps.sum(-1), torch.ones(1))
    again = control.seen[start][2]
    assert torch.equal(again[:, :, count:], v[:, :, count:])
    assert bool((again[:, :, :count] != v[:, :, :count]).any())


@pytest.mark.parametrize("kind", ["sd3", "flux"])
def test_layers_are_numbered_as_they_run(kind: str, tmp_path: Path) -> None:
    kinds: dict[str, Any] = {"sd3": tiny_flow.sd3, "flux": tiny_flow.flux}
    found = attention_layers(kinds[kind](tmp_path).transformer)
    assert [place.number for place in found.values()] == list(range(len(found)))
    assert [place.share for place in found.values()] == [i / len(found) for i in range(len(found))]
    assert not any(place.is_cross for place in found.values())
