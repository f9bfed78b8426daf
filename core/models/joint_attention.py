"""Joint attention, where words and picture question each other, opened to a control.

As in core.models.attention a control is called as ``control(place, q, k, v)`` and may have
``maps(place, maps)``. A layer sees one sequence: first the rows of the words, as many as
``place.words`` says and in the order of the model's pieces, then the rows of the picture from left
to right and top to bottom. Rotary positions, where the network has them, are already in q and k.
Layers that see the picture alone have no words. ``place.is_cross`` is False for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.models.attention import AttentionLayer, attend, in_heads

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
def control_attention(network: Any, control: Any) -> Iterator[None]:
    """Route every attention layer of a transformer through a control, and back afterwards."""
    before = dict(network.attn_processors)
    words = _PromptLength()
    hook = network.register_forward_pre_hook(words, with_kwargs=True)
    network.set_attn_processor(
        {name: _Routed(place, control, words) for name, place in attention_layers(network).items()}
    )
    try:
        yield
    finally:
        hook.remove()
        network.set_attn_processor(before)


class _PromptLength:
    """How many words the network was told: layers of one stream cannot see it themselves."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, network: Any, _: Any, given: dict[str, Any]) -> None:
        self.count = int(given["encoder_hidden_states"].shape[1])


class _Routed:
    """An attention processor that asks the control before it attends."""

    def __init__(self, place: AttentionLayer, control: Any, words: _PromptLength) -> None:
        self.place = place
        self.control = control
        self.words = words

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
            states = _concatenate(_of_words(layer, encoder_hidden_states), states)
        if image_rotary_emb is not None:
            states = _rotate(states, image_rotary_emb)
        has_words = encoder_hidden_states is not None or _is_single_stream(self.place)
        place = self.place._replace(words=self.words.count if has_words else 0)
        q, k, v = self.control(place, *states)
        seen = attend(self.control, place, (q, k, v)).transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return _out(layer, seen)
        return _out(layer, seen[:, place.words :]), _words_out(layer, seen[:, : place.words])


def _is_single_stream(place: AttentionLayer) -> bool:
    """Whether words and picture come to the layer as one sequence."""
    return place.name.startswith("single_transformer_blocks")


States = tuple["Tensor", "Tensor", "Tensor"]


def _of_picture(layer: Any, states: "Tensor") -> States:
    q, k, v = (in_heads(part(states), layer.heads) for part in (layer.to_q, layer.to_k, layer.to_v))
    return _normalise(layer.norm_q, q), _normalise(layer.norm_k, k), v


def _of_words(layer: Any, states: "Tensor") -> States:
    parts = (layer.add_q_proj, layer.add_k_proj, layer.add_v_proj)
    q, k, v = (in_heads(part(states), layer.heads) for part in parts)
    return _normalise(layer.norm_added_q, q), _normalise(layer.norm_added_k, k), v


def _normalise(norm: Any, states: "Tensor") -> "Tensor":
    normed: Tensor = states if norm is None else norm(states)
    return normed


def _concatenate(words: States, picture: States) -> States:
    import torch

    q, k, v = (torch.cat(pair, 2) for pair in zip(words, picture, strict=True))
    return q, k, v


def _rotate(states: States, positions: Any) -> States:
    """Rotary positions in queries and keys."""
    from diffusers.models.embeddings import apply_rotary_emb

    q, k, v = states
    turned: Any = [apply_rotary_emb(part, positions, sequence_dim=2) for part in (q, k)]
    return turned[0], turned[1], v


def _out(layer: Any, seen: "Tensor") -> "Tensor":
    """Layers of one stream leave the last projection to their block."""
    found = getattr(layer, "to_out", None)
    return seen if found is None else found[1](found[0](seen))


def _words_out(layer: Any, seen: "Tensor") -> "Tensor":
    """The last layer has no more use for words and no projection for them."""
    found = getattr(layer, "to_add_out", None)
    return seen if found is None else found(seen)
