"""The sizes in which Storybook can be trained, by name."""

from dataclasses import dataclass

from core.storybook.codec import CodecConfig
from core.storybook.layout import Layout
from core.storybook.sample import World


@dataclass(frozen=True)
class Config:
    """A world, the model's layout, its codec, and the batch size and device to train with."""

    world: World
    layout: Layout
    codec: CodecConfig
    batch: int
    device: str


CONFIGS = {
    "small": Config(World.small(), Layout(), CodecConfig(), 12, "cpu"),
    "large": Config(
        World.large(),
        Layout(image_size=256, latent_channels=24, widths=(160, 320, 480)),
        CodecConfig(channels=24, widths=(192, 96, 48), blocks=(4, 3, 3)),
        256,
        "cuda",
    ),
}
"""Small trains on two processor cores in under two hours; large needs an accelerator."""
