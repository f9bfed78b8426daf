"""The AI menu."""

from typing import TYPE_CHECKING, ClassVar

from editor.commands.command import Command, Rules, Section, Sections, command_groups

if TYPE_CHECKING:
    from editor.session import Session


@command_groups.register
class AiMenu:
    """Running AI layers, and what else can be done with one."""

    id: ClassVar[str] = "ai"
    label: ClassVar[str] = "AI"
    position: ClassVar[int] = 60

    def sections(self, session: "Session") -> Sections:
        return (_run(session), _layer(session))


def _run(session: "Session") -> Section:
    ai, rules = session.ai, Rules(session.studio)
    return (
        Command("ai-run", "Run", "Ctrl+Return", ai.run, rules.has_document, "play"),
        Command("ai-cancel", "Cancel", "Ctrl+.", session.jobs.cancel_all, icon="square"),
        Command("ai-seed", "Another seed", "Ctrl+R", ai.reseed, rules.has_ai_layer, "dice-5"),
    )


def _layer(session: "Session") -> Section:
    ai, rules = session.ai, Rules(session.studio)
    return (
        Command(
            "ai-selection",
            "New AI layer from selection",
            "Ctrl+Shift+G",
            ai.from_selection,
            rules.has_selection,
            "sparkles",
        ),
        Command("ai-mask", "Region to selection", "", ai.mask_to_selection, rules.has_ai_layer),
        Command("ai-freeze", "Freeze", "", ai.freeze, rules.has_ai_layer, "snowflake"),
        Command("ai-compare", "Re-run and compare", "", ai.rerun, rules.has_ai_layer),
        Command("ai-copy", "Copy recipe", "", ai.copy_recipe, rules.has_ai_layer),
    )
