"""Turn written text into text to speak, without Home Assistant and the service."""
