"""Speak one message: from Home Assistant's request to audio bytes."""
