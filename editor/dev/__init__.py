"""For developers: benches of the window, and the tour that plays a session."""
