"""Plug-and-Play: what is taken from the source, and the settings that leave sampling alone."""

from typing import Any

import numpy as np
import pytest
import torch

from core.diffusion.attention import AttentionCall, AttentionLayer, FeatureTap
from core.editing.inversion import Inversion, Source
from core.editing.prompt_edit import EditVariation, PromptEdit
from core.models.attention import attention_layers
from core.techniques.plug_and_play import BLOCK, DECODER, PlugAndPlay, _KeptStructure
from tests.core.inverting import batches, kept, network, result, states_of, step_at, task
from tests.core.techniques.driving import finished

OTHER: dict[str, Any] = {"prompt": "a dog", "source_prompt": "", "inverter": "ddim"}
NOTHING: dict[str, Any] = {"features_kept": 0.0, "attention_kept": 0.0}
LATE = AttentionLayer(9, "x", False, 0.7)


class Plain(_KeptStructure):
    """Neither control nor tap."""

    attention = EditVariation.attention  # type: ignore[assignment]
    features = EditVariation.features  # type: ignore[assignment]


def plain(given: Any, model: Any) -> Any:
    """The same walk with neither control nor tap."""
    edit = PromptEdit(given, model)
    return finished(edit.run(Plain(edit, given.params)))[1]


def test_nothing_kept_is_plain_sampling() -> None:
    model = network()
    given = task(PlugAndPlay, **OTHER, **NOTHING)
    assert np.array_equal(result(PlugAndPlay, model, given), plain(given, model))


@pytest.mark.parametrize("one", ["features_kept", "attention_kept"])
def test_features_and_attention_each_change_the_picture(one: str) -> None:
    model = network()
    given = task(PlugAndPlay, **OTHER, **{**NOTHING, one: 1.0})
    assert not np.allclose(result(PlugAndPlay, model, given), plain(given, model), atol=1e-4)


def walked(**changes: Any) -> tuple[PromptEdit, list[torch.Tensor]]:
    given = task(PlugAndPlay, **{**OTHER, **changes})
    edit = PromptEdit(given, network())
    return edit, [z for z, *_ in states_of(_KeptStructure(edit, given.params))]


def test_the_same_prompt_without_guidance_is_the_source_to_the_bit() -> None:
    everything = {"features_kept": 1.0, "attention_kept": 1.0}
    edit, seen = walked(prompt="a cat", source_prompt="a cat", guidance=1.0, **everything)
    assert len(seen) == edit.count
    assert all(torch.equal(z[0], z[1]) for z in seen)


def test_the_source_costs_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = batches(network(), monkeypatch)
    edit, _ = walked()
    assert seen == [1] * edit.count + [3] * edit.count


def test_an_exact_inverter_brings_the_unguided_source_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = network()
    model.cache.clear()
    given = task(PlugAndPlay, **{**OTHER, "inverter": "edict"})
    edit = PromptEdit(given, model)
    scales: list[float] = []
    run = edit.inverter.run

    def watched(source: Source) -> Inversion:
        scales.append(source.guidance)
        return run(source)

    monkeypatch.setattr(edit.inverter, "run", watched)
    states = states_of(Plain(edit, given.params))
    assert scales == [1.0]
    assert torch.allclose(states[-1][0][:1].float(), edit.x0, atol=1e-4)


def variation_of(**changes: Any) -> _KeptStructure:
    given = task(PlugAndPlay, steps=11, **{**OTHER, **changes})
    return _KeptStructure(PromptEdit(given, network()), given.params)


def control_of(index: int = 0) -> AttentionCall:
    variation = variation_of()
    return variation.attention(step_at(variation.edit, index, (1.0, 7.5)))


def tap_of(index: int = 0) -> FeatureTap:
    variation = variation_of()
    return variation.features(step_at(variation.edit, index, (1.0, 7.5)))


def test_queries_and_keys_are_the_source_s_and_values_are_not() -> None:
    q, k, v = torch.randn(3, 3, 2, 16, 8)
    seen = control_of()(LATE, q, k, v)
    for given, used in ((q, seen[0]), (k, seen[1])):
        assert all(torch.equal(used[row], given[0]) for row in range(3))
    assert torch.equal(seen[2], v)


def test_words_and_the_encoder_are_left_alone() -> None:
    q, k, v = torch.randn(3, 3, 2, 16, 8)
    control = control_of()
    assert control(AttentionLayer(9, "x", True, 0.7), q, k, v)[0] is q
    assert control(AttentionLayer(9, "x", False, 0.49), q, k, v)[0] is q


def test_the_decoder_starts_after_its_first_attention() -> None:
    attending = [place for place in attention_layers(network().unet).values() if not place.is_cross]
    acting = [place.name for place in attending if place.share >= DECODER]
    assert acting[0].startswith("up_blocks.1.attentions.1")
    assert all(name.startswith("up_blocks") for name in acting)


def test_features_for_eight_tenths_and_attention_for_half_of_the_steps() -> None:
    assert variation_of().edit.count == 10
    q = torch.randn(3, 2, 16, 8)
    features, attention = 0, 0
    for index in range(10):
        features += tap_of(index)(BLOCK, torch.randn(3, 4, 2, 2)) is not None
        attention += control_of(index)(LATE, q, q, q)[0] is not q
    assert (features, attention) == (8, 5)


def test_one_block_only_gives_its_features() -> None:
    tap, output = tap_of(), torch.randn(3, 4, 2, 2)
    changed = tap(BLOCK, output)
    assert changed is not None
    assert all(torch.equal(changed[row], output[0]) for row in range(3))
    assert tap("up_blocks.1.resnets.1", output) is None


def test_the_network_has_the_block() -> None:
    model, seen = network(), set()
    with model.features(lambda name, output: seen.add(name)):
        model.denoiser("a cat")(torch.randn(1, 16, 8, 8), model.levels(4)[1])
    assert BLOCK in seen


def test_strength_nought_is_the_picture() -> None:
    model = network()
    given = task(PlugAndPlay, strength=0.0, **OTHER)
    assert np.array_equal(result(PlugAndPlay, model, given), kept(model, given))
