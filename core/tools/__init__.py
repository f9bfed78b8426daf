"""Tools: one file each, a gesture as a generator."""
