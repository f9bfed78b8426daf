"""Tests of core/ai."""
