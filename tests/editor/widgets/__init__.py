"""Tests of editor/widgets."""
