"""The canvas: pointer events into gestures, the picture, and everything drawn over it."""
