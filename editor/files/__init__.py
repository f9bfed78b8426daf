"""Files in the window: open and save, autosave, what happens after a crash."""
