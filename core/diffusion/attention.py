"""What may be read and changed inside a network: its attention layers, and features of blocks."""

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


class AttentionLayer(NamedTuple):
    """An attention layer: its order in the network, its name, and whether it reads the prompt.

    ``share`` is how far through the network it is: 0 for the first layer, below 1 for the last.
    ``prompt_tokens`` is how many of its first tokens are the prompt's, where prompt and picture
    attend together.
    """

    number: int
    name: str
    is_cross: bool
    share: float = 0.0
    prompt_tokens: int = 0


AttentionStates = tuple["Tensor", "Tensor", "Tensor"]
"""Queries, keys and values of a layer, each (batch, heads, tokens, width)."""


class AttentionCall(Protocol):
    """A control of attention: called in every layer, it reads or changes what goes in."""

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor", /
    ) -> AttentionStates:
        """The states to use, each (batch, heads, tokens, width) float, unbounded."""
        ...


@runtime_checkable
class AttentionMapControl(AttentionCall, Protocol):
    """A control that also reads or changes the attention maps.

    They are then computed in full, which takes more memory and rounds differently.
    """

    def maps(self, place: AttentionLayer, maps: "Tensor", /) -> "Tensor":
        """The maps to use. (batch, heads, queries, keys) float, 0..1, after the softmax."""
        ...


class IdleControl:
    """A control that leaves queries, keys and values as they are."""

    def __call__(
        self, place: AttentionLayer, query: "Tensor", key: "Tensor", value: "Tensor"
    ) -> AttentionStates:
        return query, key, value


class FeatureTap(Protocol):
    """Reads or changes what the blocks of a network give."""

    def __call__(self, name: str, output: "Tensor", /) -> "Tensor | None":
        """The output to use, or None to leave it. (batch, c, height, width) float, unbounded."""
        ...


@runtime_checkable
class JoinTap(FeatureTap, Protocol):
    """A tap that also reads or changes what a block on the way up is about to join."""

    def join(self, name: str, backbone: "Tensor", skip: "Tensor", /) -> "tuple[Tensor, Tensor]":
        """The pair to use, for the residual block of this name.

        Both (batch, c, height, width) float, unbounded, with channels of their own.
        """
        ...
