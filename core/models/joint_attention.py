"""Joint attention layers, where prompt and picture attend to each other, under a control.

A layer sees one sequence: first the tokens of the prompt, as many as ``place.prompt_tokens`` and in
the order of the model's pieces, then the cells of the picture from left to right and top to bottom.
Rotary positions, where the network has them, are already in query and key. Layers that see the
picture alone have no prompt tokens. ``place.is_cross`` is False for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.diffusion.attention import AttentionCall, AttentionLayer, AttentionStates
from core.models.attention import attend, in_heads

if TYPE_CHECKING:
    from torch import Tensor

PART = {"transformer_blocks": 0, "single_transformer_blocks": 1}


def attention_layers(network: Any) -> dict[str, AttentionLayer]:
    """Attention layers by processor name, in the order in which the network runs them."""
    names = sorted(network.attn_processors, key=_order)
    return {
        name: AttentionLayer(number, name.removesuffix(".processor"), False, number / len(names))
        for number, name in enumerate(names)
    }


def _order(name: str) -> tuple[Any, ...]:
    part, number, layer, *_ = name.split(".")
    return PART.get(part, 2), int(number), layer


@contextmanager
def control_attention(network: Any, control: AttentionCall) -> Iterator[None]:
    """Route every attention layer of a transformer through a control, and back afterwards."""
    before = dict(network.attn_processors)
    length = _PromptLength()
    hook = network.register_forward_pre_hook(length, with_kwargs=True)
    network.set_attn_processor(
        {name: _Routed(place, control, length) for name, place in attention_layers(network).items()}
    )
    try:
        yield
    finally:
        hook.remove()
        network.set_attn_processor(before)


class _PromptLength:
    """How many prompt tokens the network is given: layers of one stream cannot see it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, network: Any, _: Any, given: dict[str, Any]) -> None:
        self.count = int(given["encoder_hidden_states"].shape[1])


class _Routed:
    """An attention processor that calls the control before it attends."""

    def __init__(
        self, place: AttentionLayer, control: AttentionCall, length: _PromptLength
    ) -> None:
        self.place = place
        self.control = control
        self.length = length

    def __call__(
        self,
        layer: Any,
        hidden_states: "Tensor",
        encoder_hidden_states: "Tensor | None" = None,
        attention_mask: "Tensor | None" = None,
        image_rotary_emb: "Any | None" = None,
        **_: Any,
    ) -> Any:
        states = _of_picture(layer, hidden_states)
        if encoder_hidden_states is not None:
            states = _concatenate(_of_prompt(layer, encoder_hidden_states), states)
        if image_rotary_emb is not None:
            states = _rotate(states, image_rotary_emb)
        has_prompt = encoder_hidden_states is not None or _is_single_stream(self.place)
        tokens = self.length.count if has_prompt else 0
        place = self.place._replace(prompt_tokens=tokens)
        states = self.control(place, *states)
        attended = attend(self.control, place, states).transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return _out(layer, attended)
        return _out(layer, attended[:, tokens:]), _prompt_out(layer, attended[:, :tokens])


def _is_single_stream(place: AttentionLayer) -> bool:
    """Whether prompt and picture come to the layer as one sequence."""
    return place.name.startswith("single_transformer_blocks")


def _of_picture(layer: Any, states: "Tensor") -> AttentionStates:
    q, k, v = (in_heads(part(states), layer.heads) for part in (layer.to_q, layer.to_k, layer.to_v))
    return _normalise(layer.norm_q, q), _normalise(layer.norm_k, k), v


def _of_prompt(layer: Any, states: "Tensor") -> AttentionStates:
    parts = (layer.add_q_proj, layer.add_k_proj, layer.add_v_proj)
    q, k, v = (in_heads(part(states), layer.heads) for part in parts)
    return _normalise(layer.norm_added_q, q), _normalise(layer.norm_added_k, k), v


def _normalise(norm: Any, states: "Tensor") -> "Tensor":
    normed: Tensor = states if norm is None else norm(states)
    return normed


def _concatenate(prompt: AttentionStates, picture: AttentionStates) -> AttentionStates:
    import torch

    q, k, v = (torch.cat(pair, 2) for pair in zip(prompt, picture, strict=True))
    return q, k, v


def _rotate(states: AttentionStates, positions: Any) -> AttentionStates:
    """Rotary positions in queries and keys."""
    from diffusers.models.embeddings import apply_rotary_emb

    q, k, v = states
    turned: Any = [apply_rotary_emb(part, positions, sequence_dim=2) for part in (q, k)]
    return turned[0], turned[1], v


def _out(layer: Any, attended: "Tensor") -> "Tensor":
    """Layers of one stream leave the last projection to their block."""
    projection = getattr(layer, "to_out", None)
    return attended if projection is None else projection[1](projection[0](attended))


def _prompt_out(layer: Any, attended: "Tensor") -> "Tensor":
    """The last layer has no more use for the prompt and no projection for it."""
    projection = getattr(layer, "to_add_out", None)
    return attended if projection is None else projection(attended)
