"""Techniques: one file per published editing method, written against the model protocol."""
