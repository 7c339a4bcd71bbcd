"""A real Home Assistant to show and to test the integration in.

``python -m tests.demo`` is what ``scripts/demo`` runs; ``tests/e2e`` starts the same
home. See :mod:`tests.demo.home` for what it consists of.
"""
