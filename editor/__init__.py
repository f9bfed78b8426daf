"""The Qt shell around core: window, canvas and docks."""

import ctypes
import sys

if sys.version_info < (3, 12):
    # WORKAROUND: PySide6 6.12.0 gives up one reference to True with every Signal.emit, and one to
    # None with every call of a method that returns nothing. Before Python 3.12 made them
    # immortal, the program would be ended after some hundred signals or thousand paint calls.
    for _constant in (True, False, None):
        ctypes.c_ssize_t.from_address(id(_constant)).value += 1 << 40
