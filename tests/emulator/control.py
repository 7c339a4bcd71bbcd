"""What another process may ask of the emulator, under ``/_emulator/``."""

from dataclasses import asdict, fields
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .config import EmulatorConfig
from .script import Fault

if TYPE_CHECKING:
    from .server import Emulator

CONTROL_PATH = "/_emulator/"
_FIXED = {"host", "port", "faults", "facts", "record", "record_texts", "replay"}


def control_routes(emulator: Emulator) -> list[web.RouteDef]:
    """Return the routes: state, faults, settings and reset."""

    async def state(_: web.Request) -> web.Response:
        bill = emulator.bill
        return web.json_response(
            {
                "tasks": [asdict(task) for task in emulator.tasks],
                "connections": [asdict(record) for record in emulator.connections],
                "open_connections": emulator.open_connections,
                "bill": bill,
                "bill_entries": [
                    asdict(entry) | {"cost": {k: str(v) for k, v in entry.cost.items()}}
                    for entry in bill.entries
                ],
                "happened": [asdict(fault) for fault in emulator.happened],
            }
        )

    async def faults(request: web.Request) -> web.Response:
        """Script faults: a list of objects, of specs or both; an empty list for none."""
        try:
            values = json.loads(await request.text())
            scripted = [
                Fault.parse(value) if isinstance(value, str) else Fault(**value)
                for value in values
            ]
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if not scripted:
            emulator.clear_faults()
        emulator.script(*scripted)
        return web.json_response({})

    async def settings(request: web.Request) -> web.Response:
        """Change settings: an object of the names of EmulatorConfig."""
        known = {field.name for field in fields(EmulatorConfig)} - _FIXED
        try:
            values: dict[str, Any] = json.loads(await request.text())
            unknown = values.keys() - known
        except (ValueError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if unknown:
            message = f"no such settings: {', '.join(sorted(unknown))}"
            return web.json_response({"error": message}, status=400)
        try:
            if "differ" in values:
                emulator.config.differ_in(values.pop("differ"))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        for name, value in values.items():
            setattr(emulator.config, name, value)
        return web.json_response({})

    async def reset(_: web.Request) -> web.Response:
        emulator.reset()
        return web.json_response({})

    return [
        web.get(f"{CONTROL_PATH}state", state),
        web.post(f"{CONTROL_PATH}faults", faults),
        web.post(f"{CONTROL_PATH}settings", settings),
        web.post(f"{CONTROL_PATH}reset", reset),
    ]
