"""Tests of core/inverters."""
