"""The modifiers: one guidance inside, extras around it, and the dials of both."""

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from core import catalog
from core.params import to_json
from core.task import ModifierSetting
from editor.panels.ai_modifiers import ModifierBox, guidance_entries, is_guidance

pytestmark = pytest.mark.gui
catalog.load("modifiers")
EXTRA = next(kind.id for kind in catalog.modifiers if not is_guidance(kind.id))


def default_setting(name: str) -> ModifierSetting:
    return ModifierSetting(name, to_json(catalog.params_of(catalog.modifiers[name])()))


@pytest.fixture
def box(qtbot: QtBot) -> ModifierBox:
    made = ModifierBox()
    qtbot.addWidget(made)
    made.show()
    return made


def catch_turned(box: ModifierBox, qtbot: QtBot, act: Any) -> Any:
    with qtbot.waitSignal(box.turned) as turned:
        act()
    return turned.args


def test_guidances_take_a_negative_prompt_and_extras_do_not() -> None:
    assert {"cfg", "cfg++"} <= {entry.id for entry in guidance_entries()}
    assert EXTRA not in {entry.id for entry in guidance_entries()}
    assert not is_guidance("gone")


def test_an_extra_goes_around_the_guidance_and_comes_off(box: ModifierBox, qtbot: QtBot) -> None:
    box.show_modifiers((default_setting("cfg"),), "", False)
    assert box.extras.text() == "None"
    wrapped, dial = catch_turned(box, qtbot, lambda: box.choose_extra(EXTRA, True))
    assert [one.id for one in wrapped] == ["cfg", EXTRA]
    assert dial == EXTRA
    box.show_modifiers(wrapped, "", False)
    assert box.extras.text() == catalog.modifiers[EXTRA].label
    assert list(box.forms) == ["cfg", EXTRA]
    wrapped, _ = catch_turned(box, qtbot, lambda: box.choose_guidance("cfg++"))
    assert [one.id for one in wrapped] == ["cfg++", EXTRA]
    box.show_modifiers(wrapped, "", False)
    wrapped, _ = catch_turned(box, qtbot, lambda: box.choose_extra(EXTRA, False))
    assert [one.id for one in wrapped] == ["cfg++"]


def test_the_menu_ticks_what_is_on(box: ModifierBox, qtbot: QtBot) -> None:
    box.show_modifiers((default_setting(EXTRA),), "", False)
    action = next(a for a in box.extras.menu().actions() if a.isChecked())
    assert action.text() == catalog.modifiers[EXTRA].label
    wrapped, _ = catch_turned(box, qtbot, action.trigger)
    assert wrapped == ()


def test_a_technique_with_its_own_guidance_hides_the_chooser(box: ModifierBox) -> None:
    box.show_modifiers((default_setting("cfg"),), "", True)
    assert not box.guidance.isVisible()
    assert list(box.forms) == []
    box.show_modifiers((default_setting("cfg"),), "", False)
    assert box.guidance.isVisible()
    assert list(box.forms) == ["cfg"]


def test_a_dial_keeps_the_negative_prompt_and_unknown_modifiers(
    box: ModifierBox, qtbot: QtBot
) -> None:
    box.show_modifiers((default_setting("cfg"), ModifierSetting("gone", {"x": 1})), "fog", False)
    slider: Any = box.forms["cfg"].fields["scale"]
    wrapped, dial = catch_turned(box, qtbot, lambda: slider.changed.emit(7.0))
    assert wrapped[0].params == {"scale": 7.0, "negative_prompt": "fog"}
    assert wrapped[1] == ModifierSetting("gone", {"x": 1})
    assert dial == "cfg"
