"""Home Assistant as its user interface sees it: REST and WebSocket."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

from aiohttp import ClientSession


class HomeAssistantApi:
    """The requests that the demo and the tests make of a running Home Assistant."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        """Talk to the Home Assistant at ``url`` with an access token."""
        self.session = session
        self.url = url
        self.token = token
        self._headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def create_owner(
        cls, session: ClientSession, url: str, user: str, password: str
    ) -> Self:
        """Create the first user of a new Home Assistant and log in."""
        client_id = f"{url}/"
        async with session.post(
            f"{url}/api/onboarding/users",
            json={
                "name": user.title(),
                "username": user,
                "password": password,
                "client_id": client_id,
                "language": "en",
            },
        ) as response:
            response.raise_for_status()
            code = (await response.json())["auth_code"]
        async with session.post(
            f"{url}/auth/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": client_id,
            },
        ) as response:
            response.raise_for_status()
            return cls(session, url, (await response.json())["access_token"])

    async def is_running(self) -> bool:
        """Return whether Home Assistant has started everything."""
        return bool((await self.get("/api/config"))["state"] == "RUNNING")

    async def get(self, path: str) -> Any:
        """Return the JSON answer of a GET request."""
        async with self.session.get(
            f"{self.url}{path}", headers=self._headers
        ) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, path: str, data: dict[str, Any]) -> Any:
        """Return the JSON answer of a POST request."""
        async with self.session.post(
            f"{self.url}{path}", headers=self._headers, json=data
        ) as response:
            if response.status >= 400:
                raise RefusedError(f"{path}: {response.status} {await response.text()}")
            return await response.json()

    async def delete(self, path: str) -> None:
        """Make a DELETE request."""
        async with self.session.delete(
            f"{self.url}{path}", headers=self._headers
        ) as response:
            response.raise_for_status()

    async def messages(self, **message: Any) -> AsyncGenerator[dict[str, Any]]:
        """Send one WebSocket command and yield what comes back."""
        async with self.session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        ) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            await socket.receive_json()
            await socket.send_json({"id": 1, **message})
            while True:
                answer = await socket.receive_json()
                if answer["type"] == "result" and not answer["success"]:
                    raise RefusedError(f"{message['type']}: {answer['error']}")
                yield answer

    async def command(self, **message: Any) -> Any:
        """Return the result of one WebSocket command."""
        async with aclosing(self.messages(**message)) as answers:
            return (await anext(answers))["result"]

    async def action(self, action: str, **data: Any) -> Any:
        """Perform an action such as ``tts.speak`` and wait until it is done.

        Raises:
            RefusedError: The action failed, with Home Assistant's message.
        """
        domain, service = action.split(".")
        return await self.command(
            type="call_service", domain=domain, service=service, service_data=data
        )

    async def add_integration(
        self, domain: str, answers: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """Go through a config flow as the user interface does.

        Args:
            domain: The integration to add.
            answers: What to fill in, by step; other forms are sent empty, and of
                other menus the first option is taken.

        Returns:
            The config entry as Home Assistant describes it.

        Raises:
            RefusedError: The flow was aborted, or a form came back with errors.
        """
        path = "/api/config/config_entries/flow"
        step = await self.post(path, {"handler": domain})
        seen: set[str] = set()
        while step["type"] in {"form", "menu"}:
            name = step["step_id"]
            if step.get("errors") or name in seen:
                raise RefusedError(f"Step {name} was refused: {step.get('errors')}")
            seen.add(name)
            answer = answers.get(name, {})
            if step["type"] == "menu" and not answer:
                answer = {"next_step_id": step["menu_options"][0]}
            step = await self.post(f"{path}/{step['flow_id']}", answer)
        if step["type"] != "create_entry":
            raise RefusedError(f"Adding {domain} ended with {step}")
        entry: dict[str, Any] = step["result"]
        return entry

    async def entities(self, platform: str = "cosyvoice") -> list[dict[str, Any]]:
        """Return the entities of an integration's accounts.

        After a power cut the registry may know those of a removed account again.
        """
        path = f"/api/config/config_entries/entry?domain={platform}"
        accounts = {entry["entry_id"] for entry in await self.get(path)}
        registry = await self.command(type="config/entity_registry/list")
        return [entity for entity in registry if entity["config_entry_id"] in accounts]

    async def entity_id(self, translation_key: str) -> str:
        """Return the integration's first entity with a translation key."""
        for entity in await self.entities():
            if entity["translation_key"] == translation_key:
                return str(entity["entity_id"])
        raise LookupError(f"There is no entity {translation_key}")

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return an entity's state and attributes."""
        state: dict[str, Any] = await self.get(f"/api/states/{entity_id}")
        return state


class RefusedError(Exception):
    """Home Assistant refused a request."""
