"""Measurements of the program on this machine, one file each, for ``sfumato bench NAME``."""
