"""The parts of an AI layer, in numpy: crop, masks, colour match, compositing, staleness."""
