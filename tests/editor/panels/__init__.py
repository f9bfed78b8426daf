"""Tests of editor/panels."""
