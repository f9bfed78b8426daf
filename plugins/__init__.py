"""Shipped examples of the public plugin interface."""
