"""The commands of the window, one file per menu."""
