"""The documents stay true: every path, module and name in backticks exists, every link leads on."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        *(ROOT / ".github").glob("*.md"),
        *(ROOT / "packaging").glob("*.md"),
        *(ROOT / "core").rglob("*.md"),
        *(ROOT / "editor").rglob("*.md"),
    ]
)
TOPS = ("core", "editor", "plugins", "tests", "packaging", "resources", ".ci", ".github")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
MOVE = re.compile(r"^\S+ +-> (\S+)$", re.MULTILINE)
"""A line of a table of moved modules, inside a block of code: old -> new."""
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(rf"(?:{'|'.join(map(re.escape, TOPS))})/[\w./*-]*|[\w.-]+\.(?:md|toml|yaml)")
MODULE = re.compile(r"(?:core|editor|plugins|tests)(?:\.\w+)+")
CLASS = re.compile(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*(?:\.\w+)*")
FUNCTION = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
PLACEHOLDER = re.compile(r"NAME|KIND|FOLDER|NNN")
FOREIGN = re.compile(r"Q[A-Z]\w+|Any|Tensor")
"""Names of Qt, torch, numpy and Python."""


def spans(document: Path) -> list[str]:
    """What stands in backticks outside of blocks of code, without what waits to be filled in."""
    found = SPAN.findall(FENCE.sub("", document.read_text("utf-8")))
    return [span for span in found if not PLACEHOLDER.search(span)]


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


every = pytest.mark.parametrize("document", DOCUMENTS, ids=name)


@every
def test_every_path_in_backticks_exists(document: Path) -> None:
    paths = [span for span in spans(document) if PATH.fullmatch(span)]
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


@every
def test_every_module_in_backticks_exists(document: Path) -> None:
    modules = [span for span in spans(document) if MODULE.fullmatch(span)]
    missing = [module for module in modules if not is_module(module) and not is_member(module)]
    assert missing == []


@every
def test_every_name_in_backticks_exists(document: Path) -> None:
    classes = [span for span in spans(document) if CLASS.fullmatch(span)]
    wrong = [c for c in classes if not FOREIGN.fullmatch(c) and not is_class(*c.split("."))]
    called = [span.removesuffix("()") for span in spans(document)]
    wrong += [f for f in called if FUNCTION.fullmatch(f) and f not in words()]
    assert wrong == []


@every
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = LINK.findall(FENCE.sub("", document.read_text("utf-8")))
    near = [link.split("#")[0] for link in links if "://" not in link and link[0] != "#"]
    assert [link for link in near if not (document.parent / link).exists()] == []


@every
def test_every_moved_module_is_where_it_is_said_to_be(document: Path) -> None:
    assert [
        module for module in MOVE.findall(document.read_text("utf-8")) if not is_module(module)
    ] == []


def test_there_are_documents_with_names_in_them() -> None:
    assert len(DOCUMENTS) > 10
    assert sum(bool(PATH.fullmatch(span)) for doc in DOCUMENTS for span in spans(doc)) > 100


def is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_member(dotted: str) -> bool:
    """Whether it is a module's own name, such as core.signal.Signal."""
    module, _, member = dotted.rpartition(".")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return path.is_file() and re.search(rf"\b{member}\b", path.read_text("utf-8")) is not None


def is_class(cls: str, *members: str) -> bool:
    """Whether there is a class, or an alias of a type, whose body speaks of the members."""
    bodies = classes().get(cls, [])
    return any(all(re.search(rf"\b{m}\b", body) for m in members) for body in bodies)


@cache
def sources() -> tuple[str, ...]:
    tops = ("core", "editor", "plugins", "packaging", "tests")
    return tuple(path.read_text("utf-8") for top in tops for path in (ROOT / top).rglob("*.py"))


@cache
def words() -> frozenset[str]:
    return frozenset(word for text in sources() for word in re.findall(r"\w+", text))


@cache
def classes() -> dict[str, list[str]]:
    """The source of every class and alias by name, nested ones included."""
    found: dict[str, list[str]] = {}
    for text in sources():
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            else:
                continue
            for each in names:
                body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                found.setdefault(each, []).append(body)
    return found
