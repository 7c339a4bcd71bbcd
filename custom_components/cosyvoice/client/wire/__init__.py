"""Connections to the service, the task protocol, HTTP requests."""
