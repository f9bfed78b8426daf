"""The protocols of everything that can be added to Sfumato in one file, and their registries."""

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
    """An editing method that a person can choose.

    ``needs`` are the model capabilities it cannot do without; ``needs_mask`` says that it works on
    a region, ``is_seeded`` that another seed gives another picture, ``shows_map`` that the result
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


class Verb(Protocol):
    """What a person asks for, such as Replace; the guide says which technique does it best.

    ``position`` is its place among the verbs; those of plugins take 100 or more. ``source_hint``
    stands in the empty field for what is there now, ``prompt_hint`` in that for what should be
    there; a verb without such a hint does not ask. ``takes_whole`` says that without a region it
    acts on the whole picture; others then look for what is there by its words. ``makes_room`` says
    that what was found is replaced by a thing of another shape. ``technique`` is the one to take
    where none was measured.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    position: ClassVar[int]
    technique: ClassVar[str]
    source_hint: ClassVar[str]
    prompt_hint: ClassVar[str]
    takes_whole: ClassVar[bool]
    makes_room: ClassVar[bool]

    @staticmethod
    def kind_of(source: str, prompt: str) -> str:
        """The kind of edit, as the guide calls it, that these words ask for; may be empty."""
        ...


class Inverter(Protocol):
    """Inverts a picture: finds the path from noise that prompt edits then follow.

    ``needs`` are the model capabilities it cannot do without; ``needs_signal`` says that its steps
    divide by the share of signal, so that it cannot begin at the pure noise of a rectified flow.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    paper: ClassVar[Paper | None]
    needs: ClassVar[frozenset[str]]
    needs_signal: ClassVar[bool]

    def calls(self, steps: int) -> int:
        """How many clean latents ``run`` yields for a walk of so many steps."""
        ...

    def run(self, source: "Source") -> "Inversion":
        """Yield a clean latent after each model call; return the inverted path."""
        ...


class Verifier(Protocol):
    """Scores finished pictures, so that one of several can be called the best.

    ``needs`` are the model capabilities it cannot do without; ``needs_prompt`` says that it cannot
    score without a prompt. ``claim`` is what a higher score means, to be followed by "12 % better".
    """

    id: ClassVar[str]
    label: ClassVar[str]
    claim: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    needs_prompt: ClassVar[bool]

    @staticmethod
    def gain(score: float, than: float) -> float:
        """By how many per cent one score is better than another; negative when it is worse."""
        ...

    def judge(self, case: "Case") -> "ScoreLatents":
        """A function that scores clean latents of this case, one score a row; higher is better."""
        ...


class Describer(Protocol):
    """Describes pictures; ``worlds`` are the backends whose pictures it knows, none for any."""

    id: ClassVar[str]
    label: ClassVar[str]
    worlds: ClassVar[frozenset[str]]

    @staticmethod
    def why_unavailable() -> str:
        """What to do before it can be used, in one sentence; empty when it can be used."""
        ...

    def describe(self, pixels: "Pixels") -> str:
        """A text about a picture (height x width x 3 uint8, 0..255), empty when it is unsure.

        Raises ModelError with one sentence when its files cannot be used.
        """
        ...


class Modifier(Protocol):
    """Changes how a model's denoisers are made: guidance, caches, masks. Built with its Params.

    ``calls`` is how many model calls it makes for one step at most.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    paper: ClassVar[Paper | None]
    calls: ClassVar[int]

    @property
    def Params(self) -> type[Any]: ...  # noqa: N802 - a nested class, named like one

    def __init__(self, params: Any) -> None: ...

    def wrap(self, make: MakeDenoise, model: Model) -> MakeDenoise:
        """A function that makes the changed denoisers, each around one that ``make`` makes."""
        ...


class ModelDefaults(NamedTuple):
    """What a model is usually run with: the guidance scale (1 for none), and others by marker.

    A technique's own guidance scales stay as they are. Where the network reads its guidance as a
    number (``embeds_guidance``), other scales make sense: then both scales of a technique, that of
    the prompt and that of the source, become its own embedded values or this model's guidance.
    """

    guidance: float = 1.0
    params: Mapping[Meaning, Value] = MappingProxyType({})
    embeds_guidance: bool = False


class Backend(Protocol):
    """Opens models of one kind.

    ``capabilities`` are those of every model that it opens, ``defaults`` are the values that a new
    recipe starts with. Both are known without opening a model.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[frozenset[str]]
    defaults: ClassVar[ModelDefaults]

    @staticmethod
    def opens(name: str) -> bool:
        """Whether it opens the model with this id or path."""
        ...

    @staticmethod
    def why_unavailable() -> str:
        """Why the built-in model cannot be used, in one sentence; empty when it can."""
        ...

    @staticmethod
    def unknown_words(name: str, text: str) -> tuple[str, ...]:
        """The words of a text that a model was surely not taught; empty where nobody can say."""
        ...

    @staticmethod
    def load(name: str, device: str = "cpu") -> Model:
        """Load a model by id or path. Raises ModelError, in one sentence, when it is unusable."""
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

    def stamp(self, sample: "Sample") -> "Stamp":
        """The coverage that the brush leaves at a sample of the pen."""
        ...


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
    ) -> Generator[None, "PointerEvent", None]:
        """Handle one gesture: the press is given, every later event is sent to the generator."""
        ...


class Format(Protocol):
    """A file format; ``keeps`` names what of a document survives in it."""

    id: ClassVar[str]
    label: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    keeps: ClassVar[frozenset[str]]

    def read(self, path: Path) -> "Document":
        """Read a document. Raises FileError when the file cannot be read."""
        ...

    def write(self, document: "Document", path: Path) -> None:
        """Write a document. Raises FileError when the format or the file cannot be written."""
        ...


techniques: Registry[type[Technique]] = Registry("technique", Technique)
verbs: Registry[type[Verb]] = Registry("verb", Verb)
inverters: Registry[type[Inverter]] = Registry("inverter", Inverter)
verifiers: Registry[type[Verifier]] = Registry("verifier", Verifier)
describers: Registry[type[Describer]] = Registry("describer", Describer)
modifiers: Registry[type[Modifier]] = Registry("modifier", Modifier)
backends: Registry[type[Backend]] = Registry("model", Backend)
brushes: Registry[type[Brush]] = Registry("brush", Brush)
tools: Registry[type[Tool]] = Registry("tool", Tool)
formats: Registry[type[Format]] = Registry("format", Format)

PACKAGES: dict[str, Registry[Any]] = {
    "verbs": verbs,
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
        object.__setattr__(self, "brings", ())

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
