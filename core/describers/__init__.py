"""Describers: each turns a picture into a text; one file per describer."""
