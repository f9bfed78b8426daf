"""What editing techniques share: inversion, attention maps, prompts and energies."""
