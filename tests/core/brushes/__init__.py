"""Tests of core/brushes."""
