"""The window around the canvas: bars, start page, dialogs."""
