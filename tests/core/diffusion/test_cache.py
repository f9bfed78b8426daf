"""The cache beside a model: made once, bounded, the least used goes first."""

import numpy as np

from core.diffusion.cache import TensorCache


def test_a_value_is_made_once() -> None:
    store, made = TensorCache(), []

    def make() -> str:
        made.append(1)
        return "value"

    assert store.get("key", make) == store.get("key", make) == "value"
    assert len(made) == 1
    assert "key" in store


def test_the_least_recently_used_goes_first() -> None:
    store = TensorCache(budget=3000)
    for name in "abc":
        store.put(name, np.zeros(1000, np.uint8))
    store.get("a", lambda: None)
    store.put("d", np.zeros(1000, np.uint8))
    assert [name in store for name in "abcd"] == [True, False, True, True]
    assert store.held == 3000


def test_what_is_inside_containers_counts() -> None:
    store = TensorCache()
    store.put("path", {"z": [np.zeros(500, np.uint8), (np.zeros(500, np.uint8),)]})
    assert store.held == 1000
    store.put("path", np.zeros(10, np.uint8))
    assert store.held == 10
    store.clear()
    assert store.held == 0
    assert "path" not in store


def test_one_value_larger_than_the_budget_is_still_held() -> None:
    store = TensorCache(budget=10)
    store.put("big", np.zeros(100, np.uint8))
    assert "big" in store
