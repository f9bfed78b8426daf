"""The AI menu."""

from editor.commands.command import Command, Menu, Section, has_ai_layer, has_selection


def ai_menu() -> Menu:
    return (_run(), _layer())


def _run() -> Section:
    return (
        Command("ai-run", "Run", "Ctrl+Return", lambda a: a.ai.run(), has_ai_layer, "play"),
        Command("ai-cancel", "Cancel", "Ctrl+.", lambda a: a.jobs.cancel_all(), icon="square"),
        Command(
            "ai-seed", "Another seed", "Ctrl+R", lambda a: a.ai.reseed(), has_ai_layer, "dice-5"
        ),
    )


def _layer() -> Section:
    return (
        Command(
            "ai-selection",
            "New AI layer from selection",
            "Ctrl+Shift+G",
            lambda a: a.ai.from_selection(),
            has_selection,
            "sparkles",
        ),
        Command(
            "ai-mask", "Region to selection", "", lambda a: a.ai.mask_to_selection(), has_ai_layer
        ),
        Command("ai-freeze", "Freeze", "", lambda a: a.ai.freeze(), has_ai_layer, "snowflake"),
        Command("ai-compare", "Re-run and compare", "", lambda a: a.ai.rerun(), has_ai_layer),
        Command("ai-copy", "Copy recipe", "", lambda a: a.ai.copy_recipe(), has_ai_layer),
    )
