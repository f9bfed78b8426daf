"""Tests of editor/commands."""
