"""Tests of core/verifiers."""
