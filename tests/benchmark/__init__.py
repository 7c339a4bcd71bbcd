"""The figures of the performance section: ``scripts/benchmark``.

Everything is measured in one run on one machine against the emulated service, so
ratios between rows hold where milliseconds do not.
"""
