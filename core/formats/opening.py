"""Open and save documents: the format follows the content when opening, the name when saving."""

from pathlib import Path

from core import catalog
from core.catalog import Format
from core.errors import FileError
from core.files.atomic import translate_read_errors
from core.paint.document import Document

ZIP, NATIVE = b"PK\x03\x04", "ora"
BY_NAME = "By the ending of the name"


def open_document(path: Path) -> Document:
    """The document in a file, with its path set. Raises FileError when it cannot be read."""
    path = Path(path)
    document = _format_inside(path).read(path)
    document.path = path
    document.saved = document.state
    return document


def save_document(document: Document, path: Path) -> None:
    """Write in the format of the name's suffix; in the native one nothing is unsaved afterwards.

    Raises FileError when that fails; the file is then as it was.
    """
    path = Path(path)
    kind = format_for(path)
    kind.write(document, path)
    if kind.id == NATIVE or "layers" not in _needed_features(document):
        document.path = path
        document.saved = document.state


def _needed_features(document: Document) -> frozenset[str]:
    plain = len(document.root.children) == 1 and document.root.children[0].kind == "raster"
    return frozenset() if plain else frozenset({"layers"})


def format_for(path: Path) -> Format:
    """The format of a file name. Raises FileError naming the suffixes there are."""
    catalog.load("formats")
    suffix = path.suffix.lower()
    for kind in catalog.formats:
        if suffix in kind.suffixes:
            return kind()
    raise FileError(
        f"{path.name}: Sfumato saves {', '.join(suffixes())}; choose one of these endings."
    )


def _format_inside(path: Path) -> Format:
    """The format by content where that is clear, so that a wrongly named picture opens too."""
    with translate_read_errors(path), path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise FileError(f"{path.name} is empty (0 bytes).")
    catalog.load("formats")
    if start == ZIP:
        return catalog.formats[NATIVE]()
    kind = next((k for k in catalog.formats if path.suffix.lower() in k.suffixes), None)
    if kind is None or kind.id == NATIVE:
        return catalog.formats["png"]()
    return kind()


def suffixes() -> list[str]:
    """Every ending that can be opened, with its dot."""
    catalog.load("formats")
    return sorted(suffix for kind in catalog.formats for suffix in kind.suffixes)


def open_filter() -> str:
    """The filter of the Open dialog."""
    every = " ".join(f"*{suffix}" for suffix in suffixes())
    return f"Pictures ({every})"


def save_filter() -> str:
    """The filters of the Save dialog: by the name's ending, then each format, the native first."""
    every = " ".join(f"*{suffix}" for suffix in suffixes())
    return ";;".join([f"{BY_NAME} ({every})", *_filters()])


def path_in_format(path: Path, chosen_filter: str, usual: str) -> Path:
    """The path with an ending of the format that was chosen in the Save dialog.

    Where a format is chosen, its ending replaces that of another format, and follows any other.
    By the name's ending, or with a filter that is not of this dialog, a name without an ending
    gets the usual one.
    """
    kind = _filters().get(chosen_filter)
    if kind is None:
        return path if path.suffix else path.with_name(path.name + usual)
    ending = path.suffix.lower()
    if ending in kind.suffixes:
        return path
    stem = path.stem if ending in suffixes() else path.name
    return path.with_name(stem + kind.suffixes[0])


def _filters() -> dict[str, type[Format]]:
    """Each format by its line in the Save dialog."""
    catalog.load("formats")
    kinds = sorted(catalog.formats, key=lambda kind: (kind.id != NATIVE, kind.label))
    return {f"{k.label} ({' '.join('*' + s for s in k.suffixes)})": k for k in kinds}
