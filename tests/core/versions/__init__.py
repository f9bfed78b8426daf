"""Tests of core/versions."""
