"""Writes a model folder with random weights in the layout of the real one, for tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.storybook.codec import CodecConfig, build_codec, save_codec
from core.storybook.layout import Layout, build_unet, write_layout

TINY = replace(Layout(), context_length=16, widths=(32, 32, 64), heads=2)


def build_random(folder: Path, layout: Layout = TINY, seed: int = 0) -> Path:
    """Write a small random-weight Storybook folder; the same seed writes the same weights."""
    import torch

    write_layout(folder, layout, {"objects": [], "backgrounds": [], "styles": []})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        build_unet(layout).half().save_pretrained(folder / "unet")
        codec = build_codec(
            CodecConfig(layout.factor, layout.latent_channels, (16, 8, 8), (1, 1, 1))
        )
        codec.basis.copy_(torch.linalg.qr(torch.randn(codec.basis.T.shape))[0].T)
        codec.inverse.copy_(codec.basis)
        save_codec(codec, folder)
        _write_text_encoder(folder / "text_encoder", layout)
    return folder


def _write_text_encoder(folder: Path, layout: Layout) -> None:
    from transformers import BertConfig, BertModel

    tokenizer = _build_tokenizer()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=layout.context_width,
        num_hidden_layers=1,
        num_attention_heads=12,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config, add_pooling_layer=False).half().save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _build_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = ["a", "cat", "dog", "face", "red", "apple", "house", "on", "in", "the"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*marks, *words, *letters[1:], *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer
