"""Tests of core/techniques."""
