"""Verbs: one file each, saying what a person can ask for; measurements say by which technique."""
