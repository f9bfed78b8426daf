"""Outputs of network blocks opened to a tap: read or exchanged, then all is restored.

A tap is called as ``tap(name, output)`` after every residual block ("up_blocks.1.resnets.1"), what
it adds to its input ("up_blocks.1.resnets.1.conv2") and every whole block ("up_blocks.1",
"mid_block") and gives the output to use, or None to leave it. A tap with a ``joined`` method also
gets what a block on the way up is about to join, ``joined(name, backbone, skip)`` with the name of
the residual block that reads them, and gives the pair to use. All are (batch, channels, height,
width).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

WHOLE = ("down_blocks", "up_blocks")


@contextmanager
def tap_features(network: Any, tap: Any) -> Iterator[None]:
    """Route block outputs of a UNet through a tap, and back afterwards."""
    hooks = [
        module.register_forward_hook(_hook(name, tap))
        for name, module in network.named_modules()
        if _is_block(name)
    ]
    if hasattr(tap, "joined"):
        hooks += _joints(network, tap)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _is_block(name: str) -> bool:
    parts = name.split(".")
    if name == "mid_block" or (len(parts) == 2 and parts[0] in WHOLE):
        return True
    if parts[-1] == "conv2":
        parts.pop()
    return len(parts) >= 2 and parts[-2] == "resnets"


def _hook(name: str, tap: Any) -> Any:
    def hook(_: Any, __: Any, output: Any) -> Any:
        first: Tensor = output[0] if isinstance(output, tuple) else output
        changed = tap(name, first)
        if changed is None:
            return None
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    return hook


def _joints(network: Any, tap: Any) -> list[Any]:
    """Hooks before every residual block on the way up, which reads backbone and skip as one."""
    hooks = []
    before = network.mid_block.resnets[-1]
    for i, block in enumerate(network.up_blocks):
        for j, reader in enumerate(block.resnets):
            name, width = f"up_blocks.{i}.resnets.{j}", before.out_channels
            hooks.append(reader.register_forward_pre_hook(_joint(name, width, tap)))
            before = reader
    return hooks


def _joint(name: str, width: int, tap: Any) -> Any:
    def hook(_: Any, given: Any) -> Any:
        import torch

        both: Tensor = given[0]
        pair = tap.joined(name, both[:, :width], both[:, width:])
        return (torch.cat(pair, 1), *given[1:])

    return hook
