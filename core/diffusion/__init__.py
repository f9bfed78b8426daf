"""What every diffusion model has in common: levels, predictions, samplers, seeded noise."""
