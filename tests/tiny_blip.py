"""A tiny random-weight BLIP of the real transformers classes, which says one word at every turn."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cat", "dog")
BEGIN, END, PAD = WORDS.index("[DEC]"), WORDS.index("[SEP]"), WORDS.index("[PAD]")
SIDE = 32


def saved(folder: Path, word: str = "cat") -> Path:
    """The folder as transformers writes it, with safetensors weights."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer: Any = BertTokenizer
    words = tokenizer(str(folder / "vocab.txt"), additional_special_tokens=["[DEC]"])
    pictures: Any = BlipImageProcessor
    BlipProcessor(pictures(size={"height": SIDE, "width": SIDE}), words).save_pretrained(folder)
    network(word).save_pretrained(folder)
    return folder


def network(word: str) -> Any:
    size = {"hidden_size": 32, "intermediate_size": 64, "projection_dim": 32}
    size |= {"num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"bos_token_id": BEGIN, "eos_token_id": END, "sep_token_id": END, "pad_token_id": PAD}
    text = {**size, **marks, "vocab_size": len(WORDS), "encoder_hidden_size": 32}
    config: Any = BlipConfig
    kind: Any = BlipForConditionalGeneration
    torch.manual_seed(7)
    made = kind(
        config(text_config=text, vision_config={**size, "image_size": SIDE, "patch_size": 8})
    )
    with torch.no_grad():
        made.text_decoder.cls.predictions.bias[WORDS.index(word)] = 100.0
    return made
