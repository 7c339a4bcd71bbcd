"""One measurement in a process of its own; prints its result as JSON.

``python -m tests.benchmark.worker NAME ARGUMENTS``, the arguments as JSON.
"""

import asyncio
import json
import logging
import sys
from typing import Any

from .network import Services


async def measure(name: str, arguments: dict[str, Any]) -> Any:
    """Return the result of a measurement."""
    arguments["services"] = Services(**arguments["services"])
    match name:
        case "latency" | "streamed" | "cost":
            from . import through_home

            return await getattr(through_home, name)(**arguments)
        case "ours":
            from . import by_client

            return await by_client.ours(**arguments)
        case "vendors":
            from . import by_client

            return await asyncio.to_thread(by_client.vendors, **arguments)
        case "line" | "idle" | "slowed":
            from . import world

            return await getattr(world, name)(**arguments)
        case _:
            from . import load

            return await getattr(load, name)(**arguments)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    print(json.dumps(asyncio.run(measure(sys.argv[1], json.loads(sys.argv[2])))))
