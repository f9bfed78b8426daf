"""The panels of the docks: one file per panel, and its parts in files of the same beginning."""
