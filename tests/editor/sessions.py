"""A real session over the parts of a workshop, for panels without a whole window."""

from core.settings import Settings
from core.signal import Observable
from editor.actions import Actions
from editor.ai_session.ai_actions import AiActions
from editor.ai_session.idle_seed_search import IdleSeedSearch
from editor.canvas.canvas import Canvas
from editor.canvas.compare_wipe import CompareWipe
from editor.session import Session
from editor.widgets import theme
from tests.editor.workshop import Workshop, recipe


def make_session(shop: Workshop) -> Session:
    """Everything a panel may ask for; its canvas is not shown."""
    ai = AiActions(shop.studio, shop.jobs, shop.live, recipe(seed=5))
    canvas = Canvas(shop.studio)
    return Session(
        studio=shop.studio,
        engine=shop.engine,
        jobs=shop.jobs,
        live=shop.live,
        ai=ai,
        idle=IdleSeedSearch(shop.studio, shop.jobs, ai.current_recipe),
        canvas=canvas,
        compare=CompareWipe(canvas),
        actions=Actions(print),
        settings=Observable(Settings()),
        tokens=Observable(theme.DARK),
    )
