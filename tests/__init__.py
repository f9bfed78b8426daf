"""The test suite mirrors the sources."""
