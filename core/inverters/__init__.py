"""Inverters: one file each, from a picture to a path that edits can walk down."""
