"""File formats: one file each, between a path and a document."""
