"""All that a plugin may import from core: registries, parameters, and the types they speak of.

What is listed here keeps its name; modules elsewhere may move. A plugin that adds menus or docks
finds the rest in editor.api, inside its ``setup``.
"""

from core.catalog import (
    ModelDefaults,
    Paper,
    backends,
    brushes,
    describers,
    formats,
    inverters,
    modifiers,
    techniques,
    tools,
    verifiers,
)
from core.diffusion.latent_masks import (
    check_finite,
    keep_outside_mask,
    last_steps,
    latent_mask,
    soft_latent_mask,
)
from core.diffusion.model import (
    Conditioning,
    Denoise,
    Image,
    KnownRegion,
    Level,
    Levels,
    MakeDenoise,
    Model,
    Prediction,
    Step,
)
from core.diffusion.samplers import SAMPLERS, ddim, dpmpp_2m, euler, heun
from core.errors import EditorError, FileError, ModelError, TechniqueError
from core.geometry import Point, Rect, Size
from core.paint.document import Document
from core.paint.flatten import flatten
from core.paint.layers import AiLayer, Group, Layer, Mask
from core.paint.pointer import GestureContext, PointerEvent, PointerKind, Sample, Stamp
from core.paint.selection import Selection
from core.paint.tiles import Pixels, Tiles
from core.params import (
    BrushHardness,
    BrushSize,
    Choice,
    Depth,
    File,
    Guidance,
    ModelName,
    NegativePrompt,
    PictureFile,
    Prompt,
    Range,
    SourcePrompt,
    Steps,
    Strength,
    Switch,
    Text,
)
from core.task import Recipe, Task

__all__ = [
    "SAMPLERS",
    "AiLayer",
    "BrushHardness",
    "BrushSize",
    "Choice",
    "Conditioning",
    "Denoise",
    "Depth",
    "Document",
    "EditorError",
    "File",
    "FileError",
    "GestureContext",
    "Group",
    "Guidance",
    "Image",
    "KnownRegion",
    "Layer",
    "Level",
    "Levels",
    "MakeDenoise",
    "Mask",
    "Model",
    "ModelDefaults",
    "ModelError",
    "ModelName",
    "NegativePrompt",
    "PictureFile",
    "Paper",
    "Pixels",
    "Point",
    "PointerEvent",
    "PointerKind",
    "Prediction",
    "Prompt",
    "Range",
    "Recipe",
    "Rect",
    "Sample",
    "Selection",
    "Size",
    "SourcePrompt",
    "Stamp",
    "Step",
    "Steps",
    "Strength",
    "Switch",
    "Task",
    "TechniqueError",
    "Text",
    "Tiles",
    "backends",
    "brushes",
    "check_finite",
    "ddim",
    "describers",
    "dpmpp_2m",
    "euler",
    "flatten",
    "formats",
    "heun",
    "inverters",
    "keep_outside_mask",
    "last_steps",
    "latent_mask",
    "modifiers",
    "soft_latent_mask",
    "techniques",
    "tools",
    "verifiers",
]
