"""Which of several pictures is best: one file per way to judge them."""
