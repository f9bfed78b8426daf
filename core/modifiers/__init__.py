"""Modifiers: one file each, wrapping what a model predicts (guidance, caches, masks)."""
