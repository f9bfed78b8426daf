"""From a picture to words: one file per way to describe what it shows."""
