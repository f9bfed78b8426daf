"""Tests of core/editing."""
