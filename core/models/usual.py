"""What a model is usually run with, said by its backend without loading it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from core.params import Value


class ModelDefaults(NamedTuple):
    """What a model is usually run with: guidance scale (1 for none), and parameters by name."""

    guidance: float = 1.0
    params: Mapping[str, Value] = MappingProxyType({})
