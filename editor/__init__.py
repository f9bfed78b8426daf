"""The Qt shell around core: window, canvas and docks."""

import ctypes
import sys

if sys.version_info < (3, 12):
    # WORKAROUND: PySide6 6.12.0 gives up one reference to True with every Signal.emit. Before
    # Python 3.12 made True immortal, the program would be ended after some hundred signals.
    ctypes.c_ssize_t.from_address(id(True)).value += 1 << 40
