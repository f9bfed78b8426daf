"""What test_architecture measures: the shape of the source tree, its names and its docstrings.

``python -m tests.structure`` prints the figures and what stands in their way.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "editor", "plugins")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]

ARRAY = re.compile(
    r"\b(Tensor|NDArray|ndarray|Pixels|Floats|Image|Picture|Bytes|Deep|PathState|Prediction"
    r"|Conditioning|Floats|States|Values)\b"
)
"""Type names of arrays and tensors, and of tuples that hold them, in annotations."""
_SIDE = r"[\w/*+-]+(?: [*/+-] [\w]+)*"
SHAPE = re.compile(
    rf"\({_SIDE}(?:, ?{_SIDE})+\)|\((?:length|n|\d+),\)|\w x (?:width|\d|[a-z])|shaped like|scalar"
)
DTYPE = re.compile(r"\b(u?int\d+|float\d*|bytes?|bool(ean)?|8-bit|16-bit|dtype|RGBA8|RGB8)\b")
RANGE = re.compile(
    r"-?\d\.\.|\bunbounded\b|\bany value\b|standard normal|unit variance|non-negative|positive"
    r"|probabilit|\brange\b"
)
PARTICLES = frozenset(re.findall(r"\w+", "up down of in on by to at off out with from for as over"))
IRREGULAR = frozenset(
    re.findall(
        r"\w+",
        """
        seen drawn found made given kept known shown held left taken written grown thrown gone done
        begun led fed met lost won meant sent spent built felt dealt leapt slept swept crept burnt
        learnt told sold caught bought brought taught sought understood stood hidden broken chosen
        frozen spoken stolen woken worn torn born eaten forgotten driven proven said paid laid heard
        hung stuck struck spun
        """,
    )
)
NOT_PARTICIPLES = frozenset(
    {"embed", "need", "seed", "reseed", "feed", "speed", "string", "spacing"}
)
METAPHORS = re.compile(
    r"\b(shelf|mouth|ear|errand|landing|landed|leapt?|leaps|climb(ed|s)?|doubts?|rungs?|ladder)\b"
)
"""Private words that stood for words of the field; core/GLOSSARY.md has those."""
QT = re.compile(r"^[a-z]+[A-Z]")
"""Overrides of Qt methods keep Qt's names."""


@dataclass(frozen=True)
class Item:
    """A public function or method: where it is, its tree, and the docstring that speaks for it."""

    module: str
    name: str
    node: Function
    doc: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@cache
def modules() -> dict[str, Path]:
    """Every module of the program by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text("utf-8"))


# Imports


@cache
def imports(module: str, typing: bool) -> frozenset[str]:
    """The modules of this program that a module imports; with those for type checkers alone."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing:
            for other in node.orelse:
                visit(other)
            return
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in modules() else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree_of(module))
    return frozenset(found & modules().keys()) - {module}


def file_graph(typing: bool) -> dict[str, set[str]]:
    return {module: set(imports(module, typing)) for module in modules()}


def folder_of(module: str) -> str:
    """A module's folder; what lies on a package's floor is a room of its own."""
    path = modules()[module].relative_to(ROOT)
    on_floor = len(path.parts) == 2 and path.name != "__init__.py"
    return module if on_floor else ".".join(path.parts[:-1])


def folder_graph() -> dict[str, set[str]]:
    """Which folders need which at run time."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module, needed in file_graph(typing=False).items():
        here = folder_of(module)
        graph[here] |= {folder_of(other) for other in needed} - {here}
    return dict(graph)


def circles(graph: Graph) -> list[list[str]]:
    """Groups of two and more nodes that can all reach each other, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            place = stack.index(node)
            found.append(sorted(stack[place:]))
            del stack[place:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return [group for group in found if len(group) > 1]


def floor(package: str) -> list[str]:
    """The modules that lie in a package itself and not in one of its folders."""
    return sorted(path.stem for path in (ROOT / package).glob("*.py"))


def packages() -> list[str]:
    return [name for name, path in modules().items() if path.name == "__init__.py"]


def module_doc(module: str) -> str:
    return ast.get_docstring(tree_of(module)) or ""


def function_lengths() -> dict[str, int]:
    """Lines of every function, nested ones included, by module and name."""
    return {
        f"{module}.{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules()
        for node in ast.walk(tree_of(module))
        if isinstance(node, Function)
    }


# Names


KEPT_WORDS = {("core/editing/prompt_warnings.py", "doubt")}
"""Texts that decide a draw of noise: another word would give other results."""


def metaphors() -> list[str]:
    """Where a private word stands in the sources, as file:line: word."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in modules().values()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (found := METAPHORS.search(line.lower()))
        and (path.relative_to(ROOT).as_posix(), found[0]) not in KEPT_WORDS
    ]


def classes() -> Iterator[tuple[str, str]]:
    """Public classes that are not nested in another one, with their modules."""
    for module in modules():
        for node in tree_of(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield module, node.name


def doubled_classes() -> dict[str, list[str]]:
    """Class names that stand for more than one class, with the modules that define them."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, name in classes():
        homes[name].append(module)
    return {name: where for name, where in homes.items() if len(where) > 1}


def is_bare_participle(name: str) -> bool:
    """Whether a name is a participle with nothing but particles after it: opened, leapt_up."""
    first, *rest = name.split("_")
    if first in NOT_PARTICIPLES or any(word not in PARTICLES for word in rest):
        return False
    ends = (first.endswith("ed") and len(first) > 4) or (first.endswith("ing") and len(first) > 4)
    return first in IRREGULAR or ends


def participles() -> list[Item]:
    return [item for item in public() if is_bare_participle(item.name.split(".")[-1])]


# Docstrings


@cache
def public() -> tuple[Item, ...]:
    """Public functions and methods, properties and overrides of Qt methods left out."""
    return tuple(
        item
        for module in modules()
        for item in _items(module, tree_of(module).body, "", inherited())
    )


def _items(
    module: str, body: Iterable[ast.stmt], prefix: str, documented: Mapping[str, str]
) -> Iterator[Item]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _items(module, node.body, f"{prefix}{node.name}.", documented)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            kinds = {ast.unparse(decorator) for decorator in node.decorator_list}
            if any("property" in kind or kind.endswith("setter") for kind in kinds):
                continue
            if prefix and QT.match(node.name):
                continue
            doc = ast.get_docstring(node) or (_inherited_doc(node, documented) if prefix else "")
            yield Item(module, prefix + node.name, node, doc)


@cache
def inherited() -> dict[str, str]:
    """Docstrings of what protocols and bases ask for: they speak for overrides.

    By name with parameters, and by name alone for overrides that call parameters otherwise.
    """
    found: dict[str, str] = {}
    for module in modules():
        for node in tree_of(module).body:
            if isinstance(node, ast.ClassDef) and _is_base(node):
                for method in node.body:
                    if isinstance(method, Function) and ast.get_docstring(method):
                        for key in (_signature(method), method.name):
                            found.setdefault(key, ast.get_docstring(method) or "")
    return found


def _inherited_doc(node: Function, documented: Mapping[str, str]) -> str:
    return documented.get(_signature(node)) or documented.get(node.name, "")


def _signature(node: Function) -> str:
    """A function's name and the names of its parameters."""
    return f"{node.name}({', '.join(argument.arg for argument in node.args.args)})"


BASES = frozenset({"Adapter", "ReplayPath", "PromptEdit"})


def _is_base(node: ast.ClassDef) -> bool:
    return node.name in BASES or any("Protocol" in ast.unparse(base) for base in node.bases)


def array_functions() -> list[Item]:
    """Public functions that take or give arrays or tensors."""

    def has_array(node: Function) -> bool:
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        notes = [argument.annotation for argument in arguments] + [node.returns]
        return any(note is not None and ARRAY.search(ast.unparse(note)) for note in notes)

    return [item for item in public() if has_array(item.node)]


def missing_facts(item: Item) -> list[str]:
    """Which of shape, dtype and range a docstring does not give."""
    wanted = {"shape": SHAPE, "dtype": DTYPE, "range": RANGE}
    return [name for name, pattern in wanted.items() if not pattern.search(item.doc)]


def raised(node: Function) -> set[str]:
    """The exceptions that a function raises itself, by class name."""
    found: set[str] = set()

    def visit(child: ast.AST) -> None:
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            return
        if isinstance(child, ast.Raise) and child.exc is not None:
            thing = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = ast.unparse(thing).split(".")[-1]
            if name[:1].isupper() and name not in {"NotImplementedError", "StopAsyncIteration"}:
                found.add(name)
        for grandchild in ast.iter_child_nodes(child):
            visit(grandchild)

    for statement in node.body:
        visit(statement)
    return found


def raising_functions() -> list[Item]:
    """Public functions in which an exception is raised."""
    return [item for item in public() if raised(item.node)]


def silent_about(item: Item) -> set[str]:
    """The exceptions that a function raises and its docstring does not name."""
    return {name for name in raised(item.node) if name not in item.doc}


def share(good: int, total: int) -> float:
    return good / total if total else 1.0


def main(wanted: str = "") -> None:
    """Print every figure, and each item below a module prefix that falls short."""
    arrays = [item for item in array_functions() if str(item).startswith(wanted)]
    bare = [item for item in arrays if missing_facts(item)]
    raising = [item for item in raising_functions() if str(item).startswith(wanted)]
    silent = [item for item in raising if silent_about(item)]
    lines = [
        f"floor: core {len(floor('core'))}, editor {len(floor('editor'))}",
        f"run-time knots between folders: {circles(folder_graph())}",
        f"typing circles: {[c for c in circles(file_graph(typing=True)) if len(c) > 2]}",
        f"doubled classes: {doubled_classes()}",
        f"bare participles: {[str(item) for item in participles()]}",
        *(f"  lacks {' '.join(missing_facts(item))}: {item}" for item in bare),
        *(f"  does not name {' '.join(silent_about(item))}: {item}" for item in silent),
        f"arrays described: {share(len(arrays) - len(bare), len(arrays)):.1%} of {len(arrays)}",
        f"raises described: {share(len(raising) - len(silent), len(raising)):.1%} "
        f"of {len(raising)}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
