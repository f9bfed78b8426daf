"""Tests of core/paint."""
