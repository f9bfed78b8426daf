"""Tools: one file each; a gesture is a generator that receives pointer events."""
