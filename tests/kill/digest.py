"""One hash for all that a journal has to bring back of a document: layers, pixels, selection."""

import hashlib
import json
import zlib

from core.paint.document import Document
from core.paint.layers import AiLayer, Group, Layer, Node, planes
from core.paint.tiles import Tile


class Digest:
    """Remembers the checksums of tiles by serial, so that the next state costs what changed."""

    def __init__(self) -> None:
        self._sums: dict[int, int] = {}

    def of(self, document: Document) -> str:
        """The hash of the document as it is now, an open stroke included."""
        state = document.state
        alpha = state.selection.alpha
        facts = [
            list(state.size),
            state.active,
            list(state.selection.bounds),
            zlib.crc32(alpha.tobytes()) if alpha is not None else 0,
            [self._node(child) for child in state.root.children],
            repr(sorted(document.extras.items())),
        ]
        return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()

    def _node(self, node: Node) -> list[object]:
        facts: list[object] = [node.kind, node.id, node.name, node.visible, node.opacity]
        facts += [node.blend, node.mask.visible if node.mask else None]
        if isinstance(node, Layer):
            facts += [list(node.position), node.lock_alpha]
        if isinstance(node, AiLayer):
            facts += [node.recipe.to_json(), node.rendered, node.baked]
        if isinstance(node, Group):
            facts.append([self._node(child) for child in node.children])
        for name, plane in planes(node).items():
            tiles = sorted((key, self._sum(tile)) for key, tile in plane.items())
            facts += [name, plane.fill, tiles]
        return facts

    def _sum(self, tile: Tile) -> int:
        if tile.serial not in self._sums:
            self._sums[tile.serial] = zlib.crc32(tile.pixels.tobytes())
        return self._sums[tile.serial]
