"""The settings of a task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Settings of a task, and what the service permits for its model.

    Attributes:
        model: The model's id.
        parameters: The parameters on the wire.
        starts_per_second: Task starts that the service permits for the model.
        cancellable: Whether the service confirms that a running task is cancelled.
        by_tokens: Whether the service bills tokens, not characters.
        tags: Whether the model makes sounds of tags such as ``[laughing]``.
    """

    model: str
    parameters: Mapping[str, Any]
    starts_per_second: int
    cancellable: bool = False
    by_tokens: bool = False
    tags: bool = False
