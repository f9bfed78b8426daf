"""Storybook: a procedural illustrated world, and the small diffusion model trained on it."""
