"""What every published method owes: its paper, in a field and in its docstring."""

import re
from typing import Any

from core.catalog import Paper

ARXIV = re.compile(r"\d{4}\.\d{5}")


def check_paper(kind: Any) -> None:
    """The paper has a name and a number of arXiv's form, and the docstring gives that number."""
    assert isinstance(kind.paper, Paper)
    assert kind.paper.name == kind.paper.name.strip() != ""
    assert ARXIV.fullmatch(kind.paper.arxiv)
    assert f"arXiv {kind.paper.arxiv}" in " ".join((kind.__doc__ or "").split())
