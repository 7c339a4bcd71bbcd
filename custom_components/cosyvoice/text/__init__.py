"""Turn written text into spoken text; imports neither Home Assistant nor the client."""
