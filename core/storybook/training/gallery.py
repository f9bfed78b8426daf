"""Pictures that show the progress of a training run: fixed prompts and seeds, averaged weights."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.diffusion.guidance import guide
from core.storybook.codec import load_codec
from core.storybook.layout import Layout, network_input

if TYPE_CHECKING:
    from torch import Tensor

    from core.storybook.text import TextEncoder
    from core.storybook.training.network import Training

PROMPTS = (
    "a red apple on a wooden table",
    "a cat face in a meadow",
    "a dog face at sunset, flat",
    "a sailboat on the sea",
    "a house in the snow, flat",
    "a rocket at night",
    "a cactus in the desert, on the left",
    "a strawberry on a beach, flat",
    "a panda face in front of a brick wall",
    "a blue car on white",
    "a mushroom in a meadow, flat",
    "a star at night",
    "a purple butterfly on white",
    "a pumpkin in the desert",
    "a crescent moon at night, flat",
    "a balloon and a sun in a meadow",
    "a kitten on a beach, on the right",
    "a strawberry and a banana on a wooden table",
    "a cat face and a dog face in the snow, flat",
    "a sunflower in front of a brick wall",
)


def sample(
    unet: Any, layout: Layout, tokens: "Tensor", empty: "Tensor", seed: int = 0, steps: int = 12,
    guidance: float = 3.0, inpaint: "tuple[Tensor, Tensor] | None" = None,
) -> "Tensor":
    """Sample latents by DDIM with classifier-free guidance.

    tokens, empty: (n, length, width) and (1, length, width) float, unbounded. ``inpaint`` is a mask
    (n, 1, h, w), 0..1, and clean latents. Returns (n, c, h, w) float32, unbounded, on the CPU.
    """
    import torch

    signals = torch.from_numpy(layout.alphas_cumprod()).float()
    edges = [round(layout.train_steps * (1 - i / steps)) - 1 for i in range(steps)]
    random = torch.Generator().manual_seed(seed)
    shape = (len(tokens), layout.latent_channels, layout.cells, layout.cells)
    z = torch.randn(shape, generator=random).to(unet.device)
    both = torch.cat([tokens, empty.expand_as(tokens)]).to(unet.device)
    for here, after in zip(edges, [*edges[1:], -1], strict=True):
        stacked = network_input(z, *inpaint) if inpaint else network_input(z)
        with torch.no_grad(), torch.autocast(unet.device.type, torch.bfloat16):
            v = unet(stacked.repeat(2, 1, 1, 1), here, encoder_hidden_states=both).sample.float()
        v = guide(v[len(z) :], v[: len(z)], guidance)
        signal, noise = signals[here].sqrt(), (1 - signals[here]).sqrt()
        x0, eps = signal * z - noise * v, noise * z + signal * v
        level = signals[after] if after >= 0 else torch.tensor(1.0)
        z = level.sqrt() * x0 + (1 - level).sqrt() * eps
    return z.cpu()


def sheet(images: "Tensor", columns: int) -> npt.NDArray[np.uint8]:
    """Lay pictures (n, 3, h, w) float, 0..1, side by side, the last row filled up with white.

    Returns height x width x 3 uint8, 0..255.
    """
    import torch

    missing = -len(images) % columns
    if missing:
        images = torch.cat([images, images.new_ones(missing, *images.shape[1:])])
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    lines = [np.concatenate(list(row.permute(0, 2, 3, 1).numpy()), 1) for row in rows]
    pixels: npt.NDArray[np.uint8] = np.rint(np.concatenate(lines) * 255).astype(np.uint8)
    return pixels


def write_gallery(training: "Training", encoder: "TextEncoder") -> None:
    """Write gallery-STEP.png next to the checkpoint."""
    import torch

    weights = {name: value.clone() for name, value in training.unet.state_dict().items()}
    training.unet.load_state_dict(training.average)
    tokens, empty = encoder.embed(PROMPTS), encoder.embed([""])
    latents = sample(training.unet, training.layout, tokens, empty)
    training.unet.load_state_dict(weights)
    with torch.no_grad():
        images = load_codec(training.folder).decode(latents)
    path = training.folder / f"gallery-{training.step:06d}.png"
    Image.fromarray(sheet(images, 5)).save(path)
