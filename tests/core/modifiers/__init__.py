"""Tests of core/modifiers."""
