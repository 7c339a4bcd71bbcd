"""Turn one text into audio: tasks, retries, progress and playback."""
