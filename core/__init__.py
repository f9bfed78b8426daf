"""The painting and diffusion library under the editor: no Qt, and no torch until a model runs."""
