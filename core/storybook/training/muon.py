"""The optimiser Muon: momentum whose matrix directions are made orthogonal (Jordan 2024)."""

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor
    from torch.nn import Parameter

STEPS = 4
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""The quintic iteration of the published optimiser."""


def orthogonalise(gradients: "Tensor") -> "Tensor":
    """Approximate the nearest orthogonal matrices of a batch (n, rows, columns) float, unbounded.

    All iterates are polynomials of the first Gram matrix times x, so only the small Gram
    matrices are iterated: a convolution's nine times wider x is multiplied twice in all.
    """
    import torch

    tall = gradients.shape[1] > gradients.shape[2]
    x = gradients.mT if tall else gradients
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    gram = x @ x.mT
    unit = torch.eye(gram.shape[-1], device=gram.device)
    a, b, c = COEFFICIENTS
    change = a * unit + b * gram + c * gram @ gram
    total = change
    for _ in range(STEPS - 1):
        gram = change @ gram @ change
        change = a * unit + b * gram + c * gram @ gram
        total = change @ total
    result: Tensor = total @ x
    return result.mT if tall else result


class Muon:
    """Updates matrices and convolution kernels; keeps one momentum buffer per parameter."""

    def __init__(self, parameters: "Iterable[Parameter]", decay: float = 0.1) -> None:
        import torch

        self.parameters = list(parameters)
        self.momenta = [torch.zeros_like(p) for p in self.parameters]
        self.decay = decay

    def step(self, rate: float, momentum: float = 0.95) -> None:
        """One update; matrices of one shape are orthogonalised together."""
        import torch

        groups = defaultdict(list)
        for parameter, buffer in zip(self.parameters, self.momenta, strict=True):
            assert parameter.grad is not None
            buffer.lerp_(parameter.grad, 1 - momentum)
            groups[parameter.flatten(1).shape].append((parameter, buffer))
        for (rows, columns), members in groups.items():
            ahead = [p.grad.lerp(b, momentum).flatten(1) for p, b in members if p.grad is not None]
            updates = orthogonalise(torch.stack(ahead))
            scale = rate * max(1.0, rows / columns) ** 0.5
            for (parameter, _), update in zip(members, updates, strict=True):
                parameter.data.mul_(1 - rate * self.decay)
                parameter.data.add_(update.view_as(parameter), alpha=-scale)
