"""Tests of core/describers."""
