"""The attention layers of a UNet under a control, an AttentionCall, and restored afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.diffusion.attention import (
    AttentionCall,
    AttentionLayer,
    AttentionMapControl,
    AttentionStates,
)

if TYPE_CHECKING:
    from torch import Tensor


PART = {"down_blocks": 0, "mid_block": 1, "up_blocks": 2}


def attention_layers(network: Any) -> dict[str, AttentionLayer]:
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
def control_attention(network: Any, control: AttentionCall) -> Iterator[None]:
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
    """An attention processor that calls the control before it attends."""

    def __init__(self, place: AttentionLayer, control: AttentionCall) -> None:
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
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            in_heads(projected, layer.heads)
            for projected in (layer.to_q(hidden_states), layer.to_k(context), layer.to_v(context))
        )
        states = self.control(self.place, query, key, value)
        attended = attend(self.control, self.place, states, layer.scale)
        out: Tensor = layer.to_out[1](layer.to_out[0](attended.transpose(1, 2).flatten(2)))
        return out


def attend(
    control: AttentionCall,
    place: AttentionLayer,
    states: AttentionStates,
    scale: float | None = None,
) -> "Tensor":
    """The values that queries attend to; an AttentionMapControl may change the maps between.

    states: (batch, heads, tokens, width) float, unbounded. Returns (batch, heads, queries, width),
    same dtype.
    """
    from torch.nn.functional import scaled_dot_product_attention

    query, key, value = states
    if not isinstance(control, AttentionMapControl):
        return scaled_dot_product_attention(query, key, value, scale=scale)
    maps = (query @ key.transpose(-1, -2) * (scale or query.shape[-1] ** -0.5)).softmax(-1)
    return control.maps(place, maps) @ value


def in_heads(states: "Tensor", heads: int) -> "Tensor":
    """States (batch, tokens, heads * width) float, unbounded, as (batch, heads, tokens, width)."""
    batch, tokens, width = states.shape
    return states.view(batch, tokens, heads, width // heads).transpose(1, 2)
