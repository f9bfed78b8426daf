"""Tests of how the Storybook model is made and measured."""
