"""Seeded kills of a real editor: python -m tests.kill --seeds 300"""
