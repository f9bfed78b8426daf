"""Model backends: one file each, behind the protocol of core.diffusion.model."""
