"""What an AI layer is made of, in numpy: context, masks, colour match, compositing, staleness."""
