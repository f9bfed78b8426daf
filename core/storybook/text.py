"""Prompts to tokens: MiniLM run through transformers, padded with zeros to a fixed length."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.storybook.layout import FOLDER, Layout, read_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class TextEncoder:
    """Embeds prompts as (n, length, width) token states; rows after the last word are zero."""

    def __init__(self, bert: Any, tokenizer: Any, length: int) -> None:
        self.bert = bert
        self.tokenizer = tokenizer
        self.length = length

    def ids(self, prompt: str) -> list[int]:
        """Token ids with start and end marks, cut to the context length."""
        ids: list[int] = self.tokenizer.encode(prompt).ids
        return ids if len(ids) <= self.length else [*ids[: self.length - 1], ids[-1]]

    def words(self, prompt: str) -> list[str]:
        """The token texts, one per context position in use (attention tools name rows by them)."""
        return [self.tokenizer.id_to_token(index) for index in self.ids(prompt)]

    def embed(self, prompts: "Sequence[str]") -> "Tensor":
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
    """The text encoder of a model folder, in float32."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel

    length = (layout or read_layout(folder)).context_length
    try:
        bert = BertModel.from_pretrained(
            folder / "text_encoder", add_pooling_layer=False, dtype=torch.float32
        )
        tokenizer = Tokenizer.from_file(str(folder / "text_encoder" / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception
        raise ModelError(
            f"The Storybook text encoder in {folder} cannot be read: {error}"
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return TextEncoder(bert.eval().requires_grad_(False), tokenizer, length)
