"""The AI layers of one window: recipes, jobs, results, seeds, live preview."""
