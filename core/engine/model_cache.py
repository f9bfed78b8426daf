"""The loaded models of the worker; only a few, because each takes much memory."""

import gc
import time
from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING

from core.engine.messages import ModelOpened
from core.engine.retries import RETRIES

if TYPE_CHECKING:
    from core.diffusion.model import Model

MEGABYTE = 1 << 20


class ModelCache:
    """Opens models once and keeps the last used; ``cache_mb`` is the tensor cache of each."""

    def __init__(self, device: str, cache_mb: int = 256, max_models: int = 2) -> None:
        self.device = device
        self.cache_mb = cache_mb
        self.max_models = max_models
        self._models: OrderedDict[tuple[str, str], Model] = OrderedDict()

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._models

    def device_at(self, retry: int) -> str:
        """The device on which a job runs at a retry."""
        return "cpu" if RETRIES[retry].on_cpu else self.device

    def open(self, name: str, device: str, keep: Collection[str] = ()) -> "Model":
        """Return the model by id or path, loaded now if it is not; models in ``keep`` stay loaded.

        Raises ModelError when it cannot be opened.
        """
        from core.models.opening import open_model

        key = (name, device)
        if key not in self._models:
            self._make_room({(each, device) for each in keep})
            model = open_model(name, device)
            model.cache.budget = self.cache_mb * MEGABYTE
            self._models[key] = model
        self._models.move_to_end(key)
        return self._models[key]

    def open_and_describe(self, job: int, name: str, device: str) -> ModelOpened:
        """Load a model and return its properties. Raises ModelError when it cannot be opened."""
        began = time.monotonic()
        model = self.open(name, device)
        return ModelOpened(
            job,
            name,
            model.label,
            model.native,
            model.multiple,
            model.factor,
            tuple(sorted(model.capabilities)),
            model.identity,
            device,
            time.monotonic() - began,
        )

    def free(self, keep: Collection[tuple[str, str]] = ()) -> None:
        """Empty every model's tensor cache, and unload all models but some."""
        for key in [key for key in self._models if key not in keep]:
            del self._models[key]
        for model in self._models.values():
            model.cache.clear()
        release_memory()

    def _make_room(self, keep: Collection[tuple[str, str]]) -> None:
        """Unload the models that were not used for longest, so that one more fits."""
        surplus = len(self._models) + 1 - self.max_models
        spare = [key for key in self._models if key not in keep][: max(0, surplus)]
        for key in spare:
            del self._models[key]
        if spare:
            release_memory()


def release_memory() -> None:
    """Give unused memory back to the system and the accelerator."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
