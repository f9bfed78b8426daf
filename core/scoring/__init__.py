"""How well a picture fits: prompt agreement, verifier scores, the search for better seeds."""
