"""The Qt shell around core: window, canvas and docks."""
