"""The text encoder of Storybook: MiniLM, padded with zeros to a fixed length."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.storybook.layout import FOLDER, Layout, read_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class TextEncoder:
    """Embeds prompts as (n, length, width) token states; states after the last token are zero."""

    def __init__(self, bert: Any, tokenizer: Any, length: int) -> None:
        self.bert = bert
        self.tokenizer = tokenizer
        self.length = length

    def ids(self, prompt: str) -> list[int]:
        """Return the token ids with start and end marks, cut to the context length."""
        ids: list[int] = self.tokenizer.encode(prompt).ids
        return ids if len(ids) <= self.length else [*ids[: self.length - 1], ids[-1]]

    def token_ends(self, prompt: str) -> list[int]:
        """Where each token of a prompt ends, in characters; marks of start and end not counted."""
        found = self.tokenizer.encode(prompt, add_special_tokens=False).offsets
        return [end for _, end in found]

    def token_texts(self, prompt: str) -> list[str]:
        """Return the text of each token in the context."""
        return [self.tokenizer.id_to_token(index) for index in self.ids(prompt)]

    def embed(self, prompts: "Sequence[str]") -> "Tensor":
        """Embed prompts: (n, length, width) float32, unbounded."""
        import torch

        rows = [self.ids(prompt) for prompt in prompts]
        ids = torch.zeros(len(rows), self.length, dtype=torch.long)
        mask = torch.zeros(len(rows), self.length, dtype=torch.long)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
            mask[index, : len(row)] = 1
        with torch.no_grad():
            states: Tensor = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        return states * mask[..., None]


def load_text_encoder(folder: Path = FOLDER, layout: Layout | None = None) -> TextEncoder:
    """Load the text encoder of a model folder, in float32. Raises ModelError when unreadable."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    length = (layout or read_layout(folder)).context_length
    home = folder / "text_encoder"
    try:
        config = json.loads((home / "config.json").read_text())
        bert = BertModel(BertConfig(**config), add_pooling_layer=False).float()
        bert.load_state_dict(load_file(home / "model.safetensors"))
        description = json.loads((home / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The Storybook text encoder in {folder} cannot be read: {error}"
        ) from error
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return TextEncoder(bert.eval().requires_grad_(False), tokenizer, length)
