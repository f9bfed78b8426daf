"""The painted document: tiles, layers, selection, history and strokes; no diffusion in here."""
