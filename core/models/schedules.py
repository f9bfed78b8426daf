"""The levels of a checkpoint by its own scheduler, as diffusers walks them."""

from typing import Any

from core.diffusion.model import Level, Levels

DISTILLED = ("LCMScheduler", "TCDScheduler")
"""Schedulers of networks that were trained at a few times of their own, which DDIM would miss."""


class ScheduleLevels:
    """Noise levels by steps; ``prediction_type`` is what the network predicts.

    Times are those of DDIM in the scheduler's own spacing. Latent-consistency networks (LCM, TCD)
    know only their training times, every 20th of 1000: steps are drawn from these, and from all
    times where more steps are asked for than there are of them. Other few-step networks (Turbo,
    Lightning, Hyper) say by trailing spacing that their walk begins at the last time. Sigmas that a
    scheduler rearranges (Karras, exponential) are not followed: they belong to a sampler, not to
    the network, and inversions want evenly spaced times.
    """

    def __init__(self, scheduler: Any) -> None:
        from diffusers import DDIMScheduler

        self._own = scheduler
        self._ddim = DDIMScheduler.from_config(scheduler.config)
        self._is_distilled = type(scheduler).__name__ in DISTILLED
        self._final = self._final_power()
        self.prediction_type = str(self._ddim.config["prediction_type"])

    def __call__(self, steps: int) -> Levels:
        """The levels of a walk of so many steps, from noisiest to cleanest."""
        powers = self._ddim.alphas_cumprod
        # The offset of leading spacing puts the first time of the finest walk past the last one.
        times = [min(int(time), len(powers) - 1) for time in self._times(steps)]
        walk = zip(
            [*(float(powers[time]) for time in times), self._final], [*times, 0], strict=True
        )
        return tuple(Level(a**0.5, (1 - a) ** 0.5, float(time)) for a, time in walk)

    def _times(self, steps: int) -> Any:
        if not self._is_distilled:
            self._ddim.set_timesteps(steps)
            return self._ddim.timesteps
        trained = int(self._own.config["original_inference_steps"])
        every = int(self._own.config["num_train_timesteps"])
        among = None if steps <= trained else every
        self._own.set_timesteps(steps, original_inference_steps=among)
        return self._own.timesteps

    def _final_power(self) -> float:
        """The squared signal at the end of a walk, where the scheduler's own last step leads."""
        if self._is_distilled:
            return 1.0
        if not hasattr(self._own, "sigmas"):
            return float(self._ddim.final_alpha_cumprod)
        self._own.set_timesteps(2)
        return 1 / (1 + float(self._own.sigmas[-1]) ** 2)
