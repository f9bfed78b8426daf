"""A case to judge: a task of the tests, everything of it painted."""

from typing import TYPE_CHECKING, Any

import torch

from core.scoring.case import Case

if TYPE_CHECKING:
    from core.diffusion.model import Model


def case(model: "Model", edit: Any) -> Case:
    x0 = model.encode(edit.image)
    return Case(edit, model, x0, torch.ones_like(x0[:, :1]))
