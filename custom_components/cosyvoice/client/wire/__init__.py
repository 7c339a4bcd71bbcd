"""Connections to the service: the task protocol, sockets and when they are opened."""
