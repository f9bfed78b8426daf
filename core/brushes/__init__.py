"""Brushes: one file each, a pure function from a pen sample to a stamp."""
