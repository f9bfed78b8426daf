"""Tests of core/verbs."""
