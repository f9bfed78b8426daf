"""Tests of the Storybook world and model layout."""
