"""Describes any picture in a sentence, with a BLIP folder that the person has installed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image

from core.catalog import describers
from core.errors import ModelError
from core.models.checkpoint_parts import translate_checkpoint_errors
from core.settings import files_in_models_folder, models_folder

if TYPE_CHECKING:
    from core.paint.tiles import Pixels

BEAMS = 3
"""The search width of the published captions."""
MAX_TOKENS = 30
"""Word pieces of a description."""
VOCABULARIES = ("tokenizer.json", "vocab.txt")


@describers.register
class Blip:
    """Describes photographs and other pictures in a sentence (BLIP, arXiv 2201.12086)."""

    id: ClassVar[str] = "blip"
    label: ClassVar[str] = "BLIP"
    worlds: ClassVar[frozenset[str]] = frozenset()

    @staticmethod
    def why_unavailable() -> str:
        if find_blip_folders():
            return ""
        return f"Put a BLIP folder into {models_folder()} to get suggestions."

    def describe(self, pixels: "Pixels") -> str:
        """Describe a picture (height x width x 3 uint8, 0..255) in a sentence.

        Raises ModelError when no whole BLIP folder is installed.
        """
        folder = next(iter(find_blip_folders()), None)
        if folder is None:
            raise ModelError(self.why_unavailable())
        refuse_incomplete(folder)
        with translate_checkpoint_errors(folder):
            network, processor = load_blip(folder)
            inputs = processor(images=Image.fromarray(pixels), return_tensors="pt")
            tokens = network.generate(**inputs, max_new_tokens=MAX_TOKENS, num_beams=BEAMS)
            return str(processor.decode(tokens[0], skip_special_tokens=True)).strip()


def find_blip_folders() -> list[Path]:
    """Find the BLIP folders in the models folder, in the order of their names."""
    return [path for path in files_in_models_folder() if is_blip(path)]


def is_blip(folder: Path) -> bool:
    """Whether a folder's configuration is that of a BLIP model."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == "blip"


def refuse_incomplete(folder: Path) -> None:
    """Check a folder. Raises ModelError when safe weights or a vocabulary are missing."""
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder.name} holds no .safetensors weights; Sfumato does not open pickled ones."
        )
    # transformers would make up a tokenizer that knows no words.
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise ModelError(f"{folder.name} is not a whole BLIP: its vocabulary is missing.")


def load_blip(folder: Path) -> tuple[Any, Any]:
    """Load network and processor of a folder. Raises ModelError when weights are missing."""
    from transformers import BlipForConditionalGeneration, BlipProcessor

    kind: Any = BlipForConditionalGeneration
    network, found = kind.from_pretrained(
        folder, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    if found["missing_keys"]:
        # transformers would fill the gaps with random numbers, and describe nonsense.
        raise ModelError(f"{folder.name} is not a whole BLIP: weights are missing from its files.")
    return network.eval(), BlipProcessor.from_pretrained(folder, local_files_only=True)
