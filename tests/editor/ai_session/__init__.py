"""Tests of editor/ai_session."""
