"""Measurements of the program on this machine, one file each; ``sfumato bench NAME``."""
