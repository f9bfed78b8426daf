"""Writes the shipped model folder from a training folder: averaged weights in half precision.

``python -m core.storybook.training.export FOLDER TARGET``
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from core.storybook.codec import load_codec, save_codec
from core.storybook.layout import build_unet, write_layout
from core.storybook.training.configs import CONFIGS, Config


def export(folder: Path, target: Path, config: Config) -> None:
    """Write everything that the model adapter reads; the model card is written by hand."""
    import torch

    state: dict[str, Any] = torch.load(folder / "checkpoint.pt", "cpu", weights_only=True)
    unet = build_unet(config.layout)
    unet.load_state_dict(state["average"])
    unet.half().save_pretrained(target / "unet")
    save_codec(load_codec(folder), target)
    shutil.copytree(folder / "text_encoder", target / "text_encoder", dirs_exist_ok=True)
    if (folder / "judge.safetensors").exists():
        shutil.copy(folder / "judge.safetensors", target)
    description = {
        "version": 1,
        "objects": list(config.world.things),
        "backgrounds": list(config.world.places),
        "styles": list(config.world.styles),
        "trained": {"steps": state["step"], "minutes": round(state["seconds"] / 60)},
    }
    write_layout(target, config.layout, description)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), CONFIGS["small"])
