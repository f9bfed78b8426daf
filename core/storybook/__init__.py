"""Storybook: a world of drawn scenes, and the small diffusion model trained on it."""
