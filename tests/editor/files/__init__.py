"""Tests of editor/files."""
