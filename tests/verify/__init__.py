"""What client, catalogue and emulator believe about the service, checked.

Each belief is a probe: a short use of the service, by a protocol of its own, that shows
whether the belief holds. ``scripts/verify`` runs them against the emulator or, with
``--real``, against the service. ``probe`` says what a probe is, ``probes`` has them all.
"""
