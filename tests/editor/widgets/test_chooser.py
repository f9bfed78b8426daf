"""Choosers: greyed entries, and names that are longer than their room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from editor.widgets.chooser import Chooser, Entry


def test_a_greyed_entry_cannot_be_chosen(qapp: QApplication) -> None:
    chooser = Chooser("Technique")
    greyed = [Entry("b", "B", reason="No."), Entry("h", "Things", is_heading=True)]
    chooser.show_entries([Entry("a", "A"), *greyed], "a")
    for row in (1, 2):
        assert not chooser.model().index(row, 0).flags() & Qt.ItemFlag.ItemIsEnabled
    assert chooser.itemText(1) == "B (not available)"


def test_a_long_name_ends_in_an_ellipsis(qapp: QApplication) -> None:
    chooser = Chooser("Technique")
    chooser.show_entries([Entry("a", "Diffusion brush (Layered Diffusion Brushes)")], "a")
    chooser.resize(180, 28)
    shown = chooser.shown_text()
    assert shown.endswith("…")
    assert shown.startswith("Diffusion")
    chooser.resize(600, 28)
    assert chooser.shown_text() == chooser.currentText()
