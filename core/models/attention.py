"""Attention layers opened to a control: what goes in can be read and changed, then all is restored.

A control is called as ``control(place, q, k, v)`` and gives the q, k, v to use; tensors are
(batch, heads, tokens, width). A control with a ``maps`` method also gets the softmax maps
(batch, heads, queries, keys) and gives the maps to use, at the cost of computing them in full.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class AttentionLayer(NamedTuple):
    """An attention layer: its order in the network, its name, and whether it reads words.

    ``share`` is how far through the network it is: 0 for the first layer, below 1 for the last.
    ``words`` is how many of its first tokens are words, where words and picture attend together.
    """

    number: int
    name: str
    is_cross: bool
    share: float = 0.0
    words: int = 0


PART = {"down_blocks": 0, "mid_block": 1, "up_blocks": 2}


def attention_layers(network: Any) -> "dict[str, AttentionLayer]":
    """Attention layers by processor name, in the order down, middle, up."""
    names = sorted(network.attn_processors, key=_order)
    return {
        name: AttentionLayer(
            number, name.removesuffix(".processor"), ".attn2." in name, number / len(names)
        )
        for number, name in enumerate(names)
    }


def _order(name: str) -> tuple[Any, ...]:
    parts = name.split(".")
    return (PART.get(parts[0], 3), *[part.zfill(4) for part in parts])


@contextmanager
def control_attention(network: Any, control: Any) -> Iterator[None]:
    """Route every attention layer of a UNet through a control, and back afterwards."""
    before = dict(network.attn_processors)
    network.set_attn_processor(
        {name: _Routed(place, control) for name, place in attention_layers(network).items()}
    )
    try:
        yield
    finally:
        network.set_attn_processor(before)


class _Routed:
    """An attention processor that asks the control before it attends."""

    def __init__(self, place: AttentionLayer, control: Any) -> None:
        self.place = place
        self.control = control

    def __call__(
        self,
        layer: Any,
        hidden_states: "Tensor",
        encoder_hidden_states: "Tensor | None" = None,
        attention_mask: "Tensor | None" = None,
        **_: Any,
    ) -> "Tensor":
        words = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        split = [
            in_heads(projected, layer.heads)
            for projected in (layer.to_q(hidden_states), layer.to_k(words), layer.to_v(words))
        ]
        q, k, v = self.control(self.place, *split)
        seen = attend(self.control, self.place, (q, k, v), layer.scale)
        joined = seen.transpose(1, 2).flatten(2)
        out: Tensor = layer.to_out[1](layer.to_out[0](joined))
        return out


def attend(
    control: Any,
    place: AttentionLayer,
    states: "tuple[Tensor, Tensor, Tensor]",
    scale: float | None = None,
) -> "Tensor":
    """What queries see of values; a control with ``maps`` changes the softmax maps between."""
    from torch.nn.functional import scaled_dot_product_attention

    q, k, v = states
    change = getattr(control, "maps", None)
    if change is None:
        return scaled_dot_product_attention(q, k, v, scale=scale)
    maps = (q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5)).softmax(-1)
    changed: Tensor = change(place, maps) @ v
    return changed


def in_heads(states: "Tensor", heads: int) -> "Tensor":
    """(batch, tokens, heads * width) as (batch, heads, tokens, width)."""
    batch, tokens, width = states.shape
    return states.view(batch, tokens, heads, width // heads).transpose(1, 2)
