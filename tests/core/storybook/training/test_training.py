"""Training parts: examples fit their footprints, brush masks cover things, one step learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.storybook.codec import CodecConfig, build_codec, fit_codec, save_codec
from core.storybook.layout import network_input
from core.storybook.random_model import TINY, build_random
from core.storybook.sample import World
from core.storybook.text import load_text_encoder
from core.storybook.training import pack
from core.storybook.training.configs import CONFIGS
from core.storybook.training.data import Pool
from core.storybook.training.gallery import sample, sheet
from core.storybook.training.muon import orthogonalise
from core.storybook.training.network import Plan, Training


def images(count: int) -> np.ndarray:
    return np.stack([pack.make_example(seed, World.small()).image for seed in range(count)])


def test_examples_say_what_they_show() -> None:
    for seed in range(12):
        one = pack.make_example(seed, World.small())
        assert one.image.shape == (128, 128, 3)
        assert len(one.prompts) == 2 + int(one.cells.any((1, 2)).sum())


def test_linear_codec_is_faithful_and_sees_one_patch_at_a_time() -> None:
    codec = build_codec(CodecConfig())
    fit_codec(codec, images(24))
    picture = torch.from_numpy(images(24)).permute(0, 3, 1, 2) / 255
    z = codec.encode(picture)
    assert z.shape == (24, 16, 16, 16)
    assert abs(float(z.square().mean()) - 1) < 0.2
    error = (codec.linear(z) - picture).square().mean()
    assert -10 * torch.log10(error) > 26
    changed = picture.clone()
    changed[:, :, :8, :8] = 0
    assert torch.equal(codec.encode(changed)[:, :, 1:, 1:], z[:, :, 1:, 1:])


def test_orthogonalised_directions_have_even_strength() -> None:
    strengths = torch.linalg.svdvals(orthogonalise(torch.randn(2, 12, 30)))
    assert strengths.min() > 0.4
    assert strengths.max() < 1.5


def test_a_training_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "SHARD", 8)
    build_random(tmp_path)
    codec = build_codec(CodecConfig(blocks=(1, 1, 1)))
    fit_codec(codec, images(8))
    save_codec(codec, tmp_path)
    pack.write_shard(tmp_path, 1, CONFIGS["small"], codec)
    pool = Pool(tmp_path, load_text_encoder(tmp_path))
    assert pool.load() == 8
    training = Training(tmp_path, Plan(batch=4), TINY)
    batch = pool.batch(16, training.random)
    assert set(batch.mask.flatten().tolist()) <= {0.0, 1.0}
    assert network_input(batch.x0, batch.mask, batch.x0).shape[1] == TINY.input_channels
    loss, each = training.advance(pool.batch(4, training.random))
    assert loss > 0
    assert each.shape == (4,)
    training.save()
    resumed = Training(tmp_path, Plan(batch=4), TINY)
    resumed.resume()
    assert resumed.step == 1
    for name, value in training.unet.state_dict().items():
        assert torch.equal(value, resumed.unet.state_dict()[name])


def test_a_sheet_fills_its_last_row_with_white() -> None:
    pixels = sheet(torch.zeros(5, 3, 4, 4), 3)
    assert pixels.shape == (8, 12, 3)
    assert (pixels[4:, 8:] == 255).all()
    assert (pixels[:, :8] == 0).all()


def test_sampling_is_repeatable_and_finite(tmp_path: Path) -> None:
    from core.storybook.layout import load_unet

    build_random(tmp_path)
    encoder, unet = load_text_encoder(tmp_path), load_unet(tmp_path)
    tokens, empty = encoder.embed(["a cat"]), encoder.embed([""])
    first = sample(unet, TINY, tokens, empty, seed=1, steps=3)
    assert torch.isfinite(first).all()
    assert torch.equal(first, sample(unet, TINY, tokens, empty, seed=1, steps=3))
