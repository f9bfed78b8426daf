"""Turns samples of times into figures."""

from collections.abc import Sequence

import numpy as np


def figure(samples: Sequence[float], scale: float = 1.0) -> dict[str, float]:
    """Return median, 95th percentile, minimum and count of samples, times a scale."""
    values = np.asarray(samples, np.float64) * scale
    return {
        "median": round(float(np.median(values)), 4),
        "p95": round(float(np.percentile(values, 95)), 4),
        "least": round(float(values.min()), 4),
        "n": len(values),
    }


def milliseconds(samples: Sequence[float]) -> dict[str, float]:
    """Return the figures of samples in seconds, as milliseconds."""
    return figure(samples, 1000)
