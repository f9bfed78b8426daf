"""The model folder: a random one builds, loads, and has the shapes that the layout promises."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.storybook.codec import load_codec
from core.storybook.layout import Layout, load_unet, network_input, read_layout
from core.storybook.random_model import TINY, build_random
from core.storybook.text import load_text_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_random(tmp_path_factory.mktemp("storybook"))


def test_layout_survives_the_folder(folder: Path) -> None:
    assert read_layout(folder) == TINY


def test_schedule_agrees_with_diffusers_and_ends_in_pure_noise() -> None:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_config(Layout().scheduler_config())
    ours = Layout().alphas_cumprod()
    np.testing.assert_allclose(ours, scheduler.alphas_cumprod.numpy(), atol=2e-5)
    assert ours[-1] == 0
    assert np.all(np.diff(ours) < 0)


def test_network_takes_what_network_input_makes(folder: Path) -> None:
    layout = read_layout(folder)
    z = torch.randn(2, layout.latent_channels, layout.cells, layout.cells)
    tokens = load_text_encoder(folder).embed(["a red apple", ""])
    with torch.no_grad():
        v = load_unet(folder)(network_input(z), 999, encoder_hidden_states=tokens).sample
    assert v.shape == z.shape
    assert torch.isfinite(v).all()


def test_known_latent_is_hidden_where_it_will_be_painted() -> None:
    z, known = torch.randn(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    stacked = network_input(z, mask, known)
    assert stacked.shape == (1, 9, 2, 2)
    assert torch.equal(stacked[:, 5:, 0, 0], torch.zeros(1, 4))
    assert torch.equal(stacked[:, 5:, 1, 1], torch.ones(1, 4))


def test_tokens_are_zero_after_the_last_word(folder: Path) -> None:
    encoder = load_text_encoder(folder)
    tokens = encoder.embed(["a cat"])
    assert tokens.shape == (1, TINY.context_length, TINY.context_width)
    assert encoder.token_texts("a cat") == ["[CLS]", "a", "cat", "[SEP]"]
    assert tokens[0, 4:].abs().sum() == 0
    assert torch.allclose(tokens, encoder.embed(["a cat", "a red apple on a house"])[:1], atol=1e-5)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    for load in (read_layout, load_unet, load_codec):
        with pytest.raises(ModelError, match="cannot be read"):
            load(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_text_encoder(tmp_path, TINY)
