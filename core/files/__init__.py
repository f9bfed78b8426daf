"""Files that survive a crash: atomic writing, locks, the journal."""
