"""The command line: the editor, and the verbs that work without a window (and without Qt).

Exit code 0 is success, 2 a mistake of the user with one clear line on stderr, 1 a bug.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from core.errors import EditorError, readable

USER_ERROR = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Prints one line for a mistake of the user."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb, or open the editor with the named files; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--worker"]:
        # A frozen program has one executable, which is also its worker.
        return int(importlib.import_module("core.engine.worker").main(given[1:]))
    if given and (given[0] in VERBS or given[0] in ("-h", "--help", "--version")):
        return _run_verb(given)
    # Imported by name, because core may not depend on the editor.
    return int(importlib.import_module("editor.__main__").main(given))


def _run_verb(arguments: list[str]) -> int:
    options = _build_parser().parse_args(arguments)
    try:
        return VERBS[options.verb](options)
    except EditorError as error:
        print(f"sfumato {options.verb}: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print(f"sfumato {options.verb}: stopped.", file=sys.stderr)
        return INTERRUPTED


def _build_parser() -> _Parser:
    from importlib.metadata import version

    about = "Without a verb, the editor opens with the files named."
    parser = _Parser("sfumato", description=__doc__, epilog=about)
    parser.add_argument("--version", action="version", version=version("sfumato"))
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_run_options(verbs.add_parser("run", help="add, replace, remove ... in a picture file"))
    describe = verbs.add_parser("describe", help="say what a picture file shows")
    describe.add_argument("picture", type=Path)
    describe.add_argument("--model", default="storybook", metavar="NAME|PATH")
    listing = verbs.add_parser("list", help="list what there is of a kind")
    listing.add_argument("kind", choices=KINDS)
    bench = verbs.add_parser("bench", help="measure")
    bench.add_argument("name")
    bench.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    bench.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    doctor = verbs.add_parser("doctor", help="say what this machine offers")
    doctor.add_argument("--quick", action="store_true", help="without asking torch and Qt")
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument("technique", metavar="VERB|TECHNIQUE")
    run.add_argument("picture", type=Path, metavar="IN")
    run.add_argument(
        "--mask",
        type=Path,
        help="white = edit; without one, what the words name or all",
    )
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="params")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--model", default="storybook", metavar="NAME|PATH")
    run.add_argument(
        "--modifier", action="append", default=[], metavar="ID[:KEY=VALUE,...]", dest="modifiers"
    )
    run.add_argument("--device", default="auto", help="cpu, cuda, mps or auto")
    run.add_argument("--out", type=Path, required=True)


def _run(options: argparse.Namespace) -> int:
    from core.headless.run_file import RunOrder, parse_assignments, parse_modifier, run_order

    order = RunOrder(
        technique=options.technique,
        picture=options.picture,
        out=options.out,
        mask=options.mask,
        params=parse_assignments(options.params),
        seed=options.seed,
        model=options.model,
        modifiers=tuple(parse_modifier(text) for text in options.modifiers),
        device=options.device,
    )
    facts = run_order(order, _progress if sys.stderr.isatty() else None)
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        cost = f"{facts['calls']} calls, {facts['seconds']:.2f} s"
        print(f"{readable(options.out)}: {readable(facts['model'])}, {cost}")
        for note in facts["notes"]:
            print(readable(note))
    return 0


def _progress(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _describe(options: argparse.Namespace) -> int:
    from core.headless.run_file import describe_file

    text = describe_file(options.picture, options.model)
    print(json.dumps({"text": text}) if options.json else text)
    return 0


def _list(options: argparse.Namespace) -> int:
    from core.headless.list_kinds import list_kind

    rows = list_kind(options.kind)
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max((len(row["id"]) for row in rows), default=0)
    for row in rows:
        print(f"{row['id']:{width}}  {row['label']}. {row['about']}".rstrip())
    return 0


def _bench(options: argparse.Namespace) -> int:
    from core.bench.registry import run_bench
    from core.headless.run_file import parse_assignments

    figures = run_bench(options.name, options.quick, parse_assignments(options.set))
    _print(figures, options.json)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from core.headless.doctor import inspect_machine

    _print(inspect_machine(options.quick), options.json)
    return 0


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(values, indent=1))
    else:
        _print_lines(values, "")


def _print_lines(values: dict[str, Any], indent: str) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            _print_lines(value, indent + "  ")
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            print(f"{indent}{name}: {shown}")


KINDS = (
    "verbs",
    "techniques",
    "inverters",
    "verifiers",
    "modifiers",
    "brushes",
    "formats",
    "models",
    "tools",
    "describers",
)
VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "describe": _describe,
    "list": _list,
    "bench": _bench,
    "doctor": _doctor,
}

if __name__ == "__main__":
    sys.exit(main())
