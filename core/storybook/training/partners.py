"""Trains with several processes, whose gradients are averaged once a step.

On shared processors two processes of one thread each are faster than one of two threads, which
waits for its slower thread thousands of times a step. Start each process with RANK, WORLD_SIZE,
MASTER_ADDR and MASTER_PORT set; without them a process trains alone.
"""

import os
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch.nn import Parameter


class Partners:
    """This process among its partners; number 0, the leader, writes files and keeps the time."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.number = int(os.environ.get("RANK", "0"))
        if self.count > 1:
            import torch.distributed as dist

            dist.init_process_group("gloo", timeout=timedelta(hours=2))

    @property
    def is_leader(self) -> bool:
        return self.number == 0

    def share(self, parameters: "Sequence[Parameter]", value: float) -> float:
        """Average all gradients in place; return the leader's ``value``."""
        if self.count == 1:
            return value
        import torch
        import torch.distributed as dist

        gradients = [p.grad for p in parameters if p.grad is not None]
        leading = torch.tensor([value if self.is_leader else 0.0])
        flat = torch.cat([*(g.flatten() for g in gradients), leading])
        dist.all_reduce(flat)
        start = 0
        for gradient in gradients:
            part = flat[start : start + gradient.numel()]
            gradient.copy_(part.view_as(gradient) / self.count)
            start += gradient.numel()
        return float(flat[-1])
