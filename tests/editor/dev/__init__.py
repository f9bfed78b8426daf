"""Tests of editor/dev."""
