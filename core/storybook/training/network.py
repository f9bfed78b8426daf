"""Trains the Storybook network; a run can be stopped and resumed.

``python -m core.storybook.training.network FOLDER MINUTES [SIZE]`` trains on FOLDER's shards until
MINUTES of training time (over all runs) are spent; the learning rate falls to zero at the end. It
writes FOLDER/pid-*, log.csv, checkpoint.pt (never shipped), gallery-*.png.
"""

import csv
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.files.atomic import atomic_write
from core.storybook.layout import Layout, build_unet, network_input
from core.storybook.text import load_text_encoder
from core.storybook.training.configs import CONFIGS, Config
from core.storybook.training.data import Batch, Pool
from core.storybook.training.muon import Muon
from core.storybook.training.partners import Partners

if TYPE_CHECKING:
    from torch import Tensor


NOISE_EXPONENT = 0.75
"""Below 1, noisier times are drawn more often, because they decide the shapes."""


@dataclass(frozen=True)
class Plan:
    """The settings of a training run; minutes count only the time of its own steps."""

    minutes: float = 100
    batch: int = 32
    rate: float = 0.008
    plain_rate: float = 6e-4
    warm_up: int = 100
    cool_down: float = 0.7
    average: float = 0.998
    checkpoint_minutes: float = 3
    gallery_minutes: float = 9
    threads: int = 1
    device: str = "cpu"

    def rate_at(self, step: int, progress: float) -> float:
        """Compute the share of the full learning rate."""
        return min(1, (step + 1) / self.warm_up, max(0.01, (1 - progress) / self.cool_down))


def compute_loss(unet: Any, batch: Batch, signals: "Tensor", random: Any) -> "tuple[Tensor, Tensor]":
    """Compute the loss of predicting v at evenly spread times, more of them noisy.

    signals: one per time, (n,) float, 0..1. Returns the mean loss, a scalar, and the loss of each
    example, (n,) float; both are non-negative.
    """
    import torch

    count, total, device = len(batch.x0), len(signals), batch.x0.device
    spread = (torch.arange(count) + torch.rand(count, generator=random)) / count
    spread = spread**NOISE_EXPONENT
    time_index = (spread[torch.randperm(count, generator=random)] * total).long().to(device)
    signal = signals[time_index].sqrt()[:, None, None, None]
    noise = (1 - signals[time_index]).sqrt()[:, None, None, None]
    eps = torch.randn(batch.x0.shape, generator=random).to(device)
    z = signal * batch.x0 + noise * eps
    stacked = network_input(z, batch.mask, batch.x0)
    with torch.autocast(device.type, torch.bfloat16):
        v = unet(stacked, time_index, encoder_hidden_states=batch.tokens).sample
    error = (v.float() - (signal * eps - noise * batch.x0)).square().mean(1, keepdim=True)
    weighted = (error * batch.weight).sum((1, 2, 3))
    return weighted.sum() / batch.weight.sum(), weighted.detach() / batch.weight.sum((1, 2, 3))


class Training:
    """The network, its average, its optimisers and how far it has come."""

    def __init__(
        self, folder: Path, plan: Plan, layout: Layout, partners: Partners | None = None
    ) -> None:
        import torch
        from diffusers.models.attention_processor import AttnProcessor

        self.folder, self.plan, self.layout = folder, plan, layout
        self.partners = partners or Partners()
        torch.manual_seed(0)
        self.unet = build_unet(layout).to(plan.device)
        if plan.device == "cpu":
            # The fused attention's backward pass is slow on processors at so few cells.
            self.unet.set_attn_processor(AttnProcessor())
        named = dict(self.unet.named_parameters())
        outer = ("conv_in", "conv_out", "time_embedding")
        matrices = [k for k, p in named.items() if p.ndim > 1 and not k.startswith(outer)]
        self.muon = Muon([named[k] for k in matrices])
        rest = [p for k, p in named.items() if k not in set(matrices)]
        self.plain = torch.optim.AdamW(rest, lr=plan.plain_rate, betas=(0.9, 0.98), weight_decay=0)
        self.average = {k: v.detach().clone() for k, v in self.unet.state_dict().items()}
        self.step, self.seconds = 0, 0.0
        self.is_done = False
        self.signals = torch.from_numpy(layout.alphas_cumprod()).float().to(plan.device)
        self.random = torch.Generator().manual_seed(int(time.time()))

    def advance(self, batch: Batch) -> "tuple[float, Tensor]":
        """Train one step on a batch; return its loss, a scalar, and that of each example.

        The latter is (n,) float; both are non-negative.
        """
        import torch

        started = time.perf_counter()
        batch = Batch(*(part.to(self.plan.device) for part in batch))
        loss, each = compute_loss(self.unet, batch, self.signals, self.random)
        self.unet.zero_grad(set_to_none=True)
        backward: Any = loss.backward
        backward()
        self.seconds = self.partners.share(list(self.unet.parameters()), self.seconds)
        self.is_done = self.seconds >= self.plan.minutes * 60
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        share = self.plan.rate_at(self.step, self.seconds / 60 / self.plan.minutes)
        for group in self.plain.param_groups:
            group["lr"] = self.plan.plain_rate * share
        self.plain.step()
        self.muon.step(self.plan.rate * share)
        decay = min(self.plan.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.unet.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)
        self.step += 1
        if self.partners.is_leader:
            self._count(started)
        return float(loss.detach()), each.cpu()

    def _count(self, started: float) -> None:
        """Add a step's time, at most 10 s, so that a paused process keeps its minutes."""
        self.seconds += min(time.perf_counter() - started, 10)

    def save(self) -> None:
        """Write the folder's checkpoint."""
        import torch

        state = {
            "unet": self.unet.state_dict(),
            "average": self.average,
            "muon": self.muon.momenta,
            "plain": self.plain.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        path = self.folder / "checkpoint.pt"
        atomic_write(path, lambda stream: torch.save(state, stream), keep=False)

    def resume(self) -> None:
        """Continue from the folder's checkpoint, when there is one."""
        import torch

        if not (self.folder / "checkpoint.pt").exists():
            return
        state = torch.load(
            self.folder / "checkpoint.pt", self.plan.device, weights_only=True
        )
        self.unet.load_state_dict(state["unet"])
        self.average = state["average"]
        for buffer, saved in zip(self.muon.momenta, state["muon"], strict=True):
            buffer.copy_(saved)
        self.plain.load_state_dict(state["plain"])
        self.step, self.seconds = state["step"], state["seconds"]


class Log:
    """Averages between lines of log.csv: step, minutes, examples a second, scene and brush loss."""

    def __init__(self, path: Path, every: int = 50) -> None:
        self.path, self.every = path, every
        self.sums = [0.0, 0.0, 0.0, 0.0]
        self.started = time.perf_counter()

    def add(self, training: Training, batch: Batch, each: "Tensor") -> None:
        """Add the losses of a step's examples, (n,) float, non-negative."""
        brush = (batch.mask.mean((1, 2, 3)) < 1).float()
        for index, value in enumerate((each * (1 - brush), 1 - brush, each * brush, brush)):
            self.sums[index] += float(value.sum())
        if training.step % self.every == 0:
            self._write(training)

    def _write(self, training: Training) -> None:
        scenes, scene_count, brushes, brush_count = self.sums
        speed = (scene_count + brush_count) / (time.perf_counter() - self.started)
        losses = (scenes / max(1, scene_count), brushes / max(1, brush_count))
        row = [training.step, round(training.seconds / 60, 2), round(speed, 1)]
        with self.path.open("a", newline="") as stream:
            csv.writer(stream).writerow([*row, *(round(value, 4) for value in losses)])
        self.sums = [0.0, 0.0, 0.0, 0.0]
        self.started = time.perf_counter()


def train(folder: Path, plan: Plan, config: Config) -> Training:
    """Train until the plan's minutes are spent.

    Raises FloatingPointError when the loss is not finite.
    """
    import torch

    from core.storybook.training.gallery import write_gallery

    torch.set_num_threads(plan.threads)
    partners = Partners()
    (folder / f"pid-{partners.number}").write_text(str(os.getpid()))
    pool = Pool(folder, load_text_encoder(folder, config.layout))
    pool.load()
    training = Training(folder, plan, config.layout, partners)
    training.resume()
    training.random.manual_seed(time.time_ns() % 2**40 + partners.number)
    log = Log(folder / "log.csv")
    saved = shown = training.seconds
    while not training.is_done:
        batch = pool.batch(plan.batch, training.random)
        loss, each = training.advance(batch)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss left the numbers at step {training.step}")
        if not partners.is_leader:
            continue
        log.add(training, batch, each)
        if training.seconds - saved > plan.checkpoint_minutes * 60:
            saved = training.seconds
            training.save()
        if training.seconds - shown > plan.gallery_minutes * 60:
            shown = training.seconds
            write_gallery(training, pool.encoder)
    if partners.is_leader:
        training.save()
    return training


if __name__ == "__main__":
    config = CONFIGS[sys.argv[3] if len(sys.argv) > 3 else "small"]
    plan = Plan(minutes=float(sys.argv[2]), batch=config.batch, device=config.device)
    train(Path(sys.argv[1]), plan, config)
