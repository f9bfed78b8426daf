"""Outputs of a UNet's blocks under a FeatureTap: read or exchanged, then all is restored.

The tap is called after every residual block ("up_blocks.1.resnets.1"), with what the block adds to
its input ("up_blocks.1.resnets.1.conv2") and after every whole block ("up_blocks.1", "mid_block").
A JoinTap also gets what a residual block on the way up is about to join, under that block's name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.diffusion.attention import FeatureTap, JoinTap

if TYPE_CHECKING:
    from torch import Tensor

WHOLE = ("down_blocks", "up_blocks")


@contextmanager
def tap_features(network: Any, tap: FeatureTap) -> Iterator[None]:
    """Route block outputs of a UNet through a tap, and back afterwards."""
    hooks = [
        module.register_forward_hook(_hook(name, tap))
        for name, module in network.named_modules()
        if _is_block(name)
    ]
    if isinstance(tap, JoinTap):
        hooks += _register_join_hooks(network, tap)
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


def _hook(name: str, tap: FeatureTap) -> Any:
    def hook(_: Any, __: Any, output: Any) -> Any:
        first: Tensor = output[0] if isinstance(output, tuple) else output
        changed = tap(name, first)
        if changed is None:
            return None
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    return hook


def _register_join_hooks(network: Any, tap: JoinTap) -> list[Any]:
    """Hooks before every residual block on the way up, which reads backbone and skip as one."""
    hooks = []
    before = network.mid_block.resnets[-1]
    for i, block in enumerate(network.up_blocks):
        for j, reader in enumerate(block.resnets):
            name, width = f"up_blocks.{i}.resnets.{j}", before.out_channels
            hooks.append(reader.register_forward_pre_hook(_join_hook(name, width, tap)))
            before = reader
    return hooks


def _join_hook(name: str, width: int, tap: JoinTap) -> Any:
    def hook(_: Any, given: Any) -> Any:
        import torch

        both: Tensor = given[0]
        pair = tap.join(name, both[:, :width], both[:, width:])
        return (torch.cat(pair, 1), *given[1:])

    return hook
