"""Scores of results: prompt agreement, verifiers, the search for better seeds."""
