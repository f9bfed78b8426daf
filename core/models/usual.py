"""What a model is usually run with, said by its backend without loading it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from core.params import Meaning, Value


class ModelDefaults(NamedTuple):
    """The guidance scale (1 for none) and other parameters, by their markers."""

    guidance: float = 1.0
    params: Mapping[Meaning, Value] = MappingProxyType({})
