"""The judge: a small classifier of the things, place and style of a Storybook picture."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import ModelError
from core.storybook.layout import FOLDER

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = "judge.safetensors"
CONFIG_FIELDS = ("things", "places", "styles")


@dataclass(frozen=True)
class JudgeConfig:
    """The things, places and styles that the judge distinguishes, and the size of its network."""

    things: tuple[str, ...]
    places: tuple[str, ...]
    styles: tuple[str, ...]
    channels: int = 16
    width: int = 96


class Verdict(NamedTuple):
    """Logits: a picture may show several things (n, things), in one place and one style."""

    things: "Tensor"
    places: "Tensor"
    styles: "Tensor"


@cache
def _judge_class() -> type[Any]:
    import torch
    from torch import nn

    class Judge(nn.Module):
        """Classifies latents (n, c, h, w): things by position, the place from the whole."""

        def __init__(self, config: JudgeConfig) -> None:
            super().__init__()
            self.config = config
            width = config.width
            layers: list[nn.Module] = []
            for inside, outside, stride in (
                (config.channels, width, 1),
                (width, width, 1),
                (width, 2 * width, 2),
                (2 * width, 2 * width, 2),
            ):
                layers += [nn.Conv2d(inside, outside, 3, stride, 1), nn.GroupNorm(8, outside)]
                layers += [nn.SiLU()]
            self.body = nn.Sequential(*layers)
            self.thing = nn.Conv2d(2 * width, len(config.things), 1)
            self.place = nn.Linear(2 * width, len(config.places))
            self.style = nn.Conv2d(2 * width, len(config.styles), 1)

        def forward(self, z: "Tensor") -> Verdict:
            features = self.body(z)
            things, styles = (
                torch.logsumexp(head(features).flatten(2), 2) for head in (self.thing, self.style)
            )
            return Verdict(things, self.place(features.mean((2, 3))), styles)

    return Judge


def build_judge(config: JudgeConfig) -> Any:
    """Build an untrained judge."""
    return _judge_class()(config)


def save_judge(judge: Any, folder: Path, accuracy: dict[str, float]) -> None:
    """Write judge.safetensors with names and held-out accuracy in its header."""
    from safetensors.torch import save_file

    config = {name: getattr(judge.config, name) for name in CONFIG_FIELDS}
    header = {"config": json.dumps(config), "accuracy": json.dumps(accuracy)}
    state = {name: value.half().contiguous() for name, value in judge.state_dict().items()}
    save_file(state, folder / WEIGHTS, header)


def load_judge(folder: Path = FOLDER) -> tuple[Any, dict[str, float]]:
    """Load the trained judge and its held-out accuracy. Raises ModelError when it is unreadable."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, "pt") as stream:
            header = stream.metadata()
            state = {name: stream.get_tensor(name).float() for name in stream.keys()}  # noqa: SIM118
        names = json.loads(header["config"])
        things, places, styles = (tuple(names[name]) for name in CONFIG_FIELDS)
        judge = build_judge(JudgeConfig(things, places, styles))
        judge.load_state_dict(state)
        accuracy: dict[str, float] = json.loads(header["accuracy"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"The Storybook judge in {folder} cannot be read: {error}") from error
    return judge.eval().requires_grad_(False), accuracy
