"""Verifiers: one file each, scoring finished pictures so that the best one can be kept."""
