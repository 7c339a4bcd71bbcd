"""Remember which models support flushing."""

from ..wire.learned import Learned


class Flushing(Learned):
    """Results of flushes by model.

    Only the vendor's SDK documents flushing, so it may not work everywhere.
    """

    def ignored(self, model: str) -> None:
        """Record a flush without effect."""
        self.failed(model)

    def refused(self, model: str) -> None:
        """Record a task that failed with a flush and succeeded without one."""
        self.failed(model, signs=2)
