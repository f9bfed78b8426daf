"""Tests of editor/canvas."""
