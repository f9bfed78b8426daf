"""Outputs of network blocks opened to a tap: read or exchanged, then all is restored.

A tap is called as ``tap(name, output)`` after every residual block ("up_blocks.1.resnets.1"), what
it adds to its input ("up_blocks.1.resnets.1.conv2") and every whole block ("up_blocks.1",
"mid_block") and gives the output to use, or None to leave it. Outputs are (batch, channels,
height, width).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

WHOLE = ("down_blocks", "up_blocks")


@contextmanager
def tapped(network: Any, tap: Any) -> Iterator[None]:
    """Route block outputs of a UNet through a tap, and back afterwards."""
    hooks = [
        module.register_forward_hook(_hook(name, tap))
        for name, module in network.named_modules()
        if _is_block(name)
    ]
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
