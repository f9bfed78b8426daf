"""What can be added to Sfumato in one file: the protocols and their registries."""

import importlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from core.diffusion.model import Image, MakeDenoise, Model, Step
from core.params import Choice, Meaning, Value
from core.registry import Registry, load_all

if TYPE_CHECKING:
    from core.editing.inversion import Inversion, Source
    from core.paint.document import Document
    from core.paint.pointer import GestureContext, PointerEvent, Sample, Stamp
    from core.paint.tiles import Pixels
    from core.scoring.case import Case, ScoreLatents
    from core.task import Task


class Paper(NamedTuple):
    """Where a method was published: what the method is called there, or the title, and its number.

    ``arxiv`` is the number alone, such as "2108.01073".
    """

    name: str
    arxiv: str


class Technique(Protocol):
    """A user-facing editing method; ``needs`` are model capabilities, ``needs_mask`` a region.

    ``is_seeded`` says whether another seed gives another picture, ``shows_map`` that the result
    is a map of the picture and not an edit of it. ``paper`` is None for a method that was never
    published. The window's prompt fields write the parameters marked Prompt, SourcePrompt and
    NegativePrompt.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    paper: ClassVar[Paper | None]
    needs: ClassVar[frozenset[str]]
    needs_mask: ClassVar[bool]
    is_seeded: ClassVar[bool]
    shows_map: ClassVar[bool]

    @property
    def Params(self) -> type[Any]: ...  # noqa: N802 - a nested class, named like one

    def run(self, task: "Task[Any]", model: Model) -> Generator[Step, None, Image]:
        """Yield a Step after each network step; return the edited picture, sized as task.image.

        The picture is height x width x 3 float32, 0..1.
        """
        ...


class Inverter(Protocol):
    """From a picture to a path that prompt edits walk down; ``needs`` are model capabilities."""

    id: ClassVar[str]
    label: ClassVar[str]
    paper: ClassVar[Paper | None]
    needs: ClassVar[frozenset[str]]

    def calls(self, steps: int) -> int:
        """How many clean latents ``run`` yields on a walk of so many steps."""
        ...

    def run(self, source: "Source") -> "Inversion": ...


class Verifier(Protocol):
    """Scores finished pictures, so that one of several can be called the best.

    ``needs`` are model capabilities; ``needs_prompt`` says that without words there is nothing to
    go by. ``claim`` is what a higher score means, to be followed by "12 % better".
    """

    id: ClassVar[str]
    label: ClassVar[str]
    claim: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    needs_prompt: ClassVar[bool]

    @staticmethod
    def gain(score: float, than: float) -> float:
        """By how many per cent one score is better than another, below nought when worse."""
        ...

    def judge(self, case: "Case") -> "ScoreLatents":
        """What scores clean latents in this case, one score a row, the higher the better."""
        ...


class Describer(Protocol):
    """Says what a picture shows; ``worlds`` are the backends whose pictures it knows, none = any.

    ``missing`` says what to do before it can be used, and nothing when it can be.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    worlds: ClassVar[frozenset[str]]

    @staticmethod
    def why_unavailable() -> str: ...

    def describe(self, pixels: "Pixels") -> str:
        """Words for a picture (height x width x 3), empty when it is unsure.

        Raises ModelError with one sentence when its files cannot be used.
        """
        ...


class Modifier(Protocol):
    """Wraps the making of a denoiser: guidance, caches, masks. Built with its Params.

    ``calls`` is how often it evaluates the denoiser that it wraps for one step, at most.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    paper: ClassVar[Paper | None]
    calls: ClassVar[int]

    @property
    def Params(self) -> type[Any]: ...  # noqa: N802 - a nested class, named like one

    def __init__(self, params: Any) -> None: ...

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise: ...


class ModelDefaults(NamedTuple):
    """What a model is usually run with: the guidance scale (1 for none), and others by marker."""

    guidance: float = 1.0
    params: Mapping[Meaning, Value] = MappingProxyType({})


class Backend(Protocol):
    """Opens models of one kind; ``opens`` says whether a model id or path is its.

    ``capabilities`` are those of every model that it opens, and ``defaults`` what a new recipe
    starts with; both are known without opening one.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]
    defaults: ClassVar[ModelDefaults]

    @staticmethod
    def opens(name: str) -> bool: ...

    @staticmethod
    def why_unavailable() -> str:
        """Why the built-in model cannot be used, in one sentence; empty when it can."""
        ...

    @staticmethod
    def load(name: str, device: str = "cpu") -> Model:
        """Raises ModelError with one sentence when the model cannot be used."""
        ...


class Brush(Protocol):
    """A pure function from a pen sample to a stamp; an instance carries its Params.

    The outline under the pointer is as wide as the parameter marked BrushSize.
    """

    id: ClassVar[str]
    label: ClassVar[str]

    @property
    def Params(self) -> type[Any]: ...  # noqa: N802 - a nested class, named like one

    def __init__(self, params: Any) -> None: ...

    def spacing(self, pressure: float) -> float:
        """Distance to the next stamp in pixels."""
        ...

    def stamp(self, sample: "Sample") -> "Stamp": ...


class Tool(Protocol):
    """What the pointer does: a gesture is one generator, from press to release.

    ``position`` is the tool's place in the toolbox, from the top; tools of plugins take 100 or
    more. ``uses_brush`` says that it paints with the chosen brush, so that the brush's dials are
    shown; ``erases`` that the other end of a pen takes it; ``paints_region`` that a gesture marks
    the region of an AI layer; ``moves_view`` that it moves the view and not the picture.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    shortcut: ClassVar[str]
    position: ClassVar[int]
    uses_brush: ClassVar[bool]
    erases: ClassVar[bool]
    paints_region: ClassVar[bool]
    moves_view: ClassVar[bool]

    @property
    def Params(self) -> type[Any]: ...  # noqa: N802 - a nested class, named like one

    def gesture(
        self, context: "GestureContext", event: "PointerEvent"
    ) -> Generator[None, "PointerEvent", None]: ...


class Format(Protocol):
    """A file format; one that cannot write raises FileError in ``write``."""

    id: ClassVar[str]
    label: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    keeps: ClassVar[frozenset[str]]

    def read(self, path: Path) -> "Document": ...

    def write(self, document: "Document", path: Path) -> None: ...


techniques: Registry[type[Technique]] = Registry("technique", Technique)
inverters: Registry[type[Inverter]] = Registry("inverter", Inverter)
verifiers: Registry[type[Verifier]] = Registry("verifier", Verifier)
describers: Registry[type[Describer]] = Registry("describer", Describer)
modifiers: Registry[type[Modifier]] = Registry("modifier", Modifier)
backends: Registry[type[Backend]] = Registry("model", Backend)
brushes: Registry[type[Brush]] = Registry("brush", Brush)
tools: Registry[type[Tool]] = Registry("tool", Tool)
formats: Registry[type[Format]] = Registry("format", Format)

PACKAGES: dict[str, Registry[Any]] = {
    "inverters": inverters,
    "verifiers": verifiers,
    "techniques": techniques,
    "describers": describers,
    "modifiers": modifiers,
    "models": backends,
    "brushes": brushes,
    "tools": tools,
    "formats": formats,
}


class RegistryChoice(Choice):
    """One item of a registry, by id; those that plugins bring later are among them."""

    registry: Registry[Any]

    def __init__(self, registry: Registry[Any], label: str = "", help: str = "") -> None:
        object.__setattr__(self, "registry", registry)
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "help", help)

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.registry.ids())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(kind.label for kind in self.registry)


def load(*kinds: str) -> None:
    """Import the named packages of features, all of them when none is named."""
    for kind in kinds or tuple(PACKAGES):
        load_all(importlib.import_module(f"core.{kind}"))


def params_of(kind: Any) -> type[Any]:
    """The Params dataclass of a registered class."""
    params: type[Any] = kind.Params
    return params


def kinds() -> Iterator[tuple[str, Registry[Any]]]:
    yield from PACKAGES.items()
