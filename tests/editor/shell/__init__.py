"""Tests of editor/shell."""
