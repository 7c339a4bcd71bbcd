"""The emulator in the service's place: both regions, and two for what needs more."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from ..emulator import Emulator, EmulatorConfig
from .probe import BEIJING, MODEL, SINGAPORE, Probe
from .service import Pace, Service

KEYS = {"sk-test": BEIJING, "sk-test-sg": SINGAPORE}
_STARTS = 3
_ANY_NUMBER = 1000
_PACE = {"patience": 3.0, "silence": 0.25, "ahead": 0.3, "review": 8.0, "poll": 0.1}
_HASTY: dict[str, Any] = {"idle": 2.0, "text_gap": 1.5}


@dataclass(frozen=True)
class Place:
    """An emulator and the way to it."""

    emulator: Emulator
    service: Service


@dataclass(frozen=True)
class Emulated:
    """All that is emulated."""

    regions: dict[str, Place]
    hasty: Place
    throttled: Place

    def place(self, probe: Probe) -> Place:
        """Return where a probe is done."""
        usual = self.regions[probe.regions[0]]
        return {"hasty": self.hasty, "throttled": self.throttled}.get(
            probe.stand, usual
        )

    @property
    def services(self) -> list[Service]:
        """Every way to an emulator."""
        return [place.service for place in self.places]

    @property
    def places(self) -> list[Place]:
        """Every emulator."""
        return [*self.regions.values(), self.hasty, self.throttled]


@asynccontextmanager
async def emulated(differ: Collection[str] = ()) -> AsyncIterator[Emulated]:
    """Run the emulators for the length of a block, with differences."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def emulator(region: str, starts: int = 0, **settings: Any) -> Emulator:
            config = EmulatorConfig(
                api_keys=KEYS,
                region=region,
                first_packet=0.02,
                real_time_factor=0.05,
                round_trip=0.004,
                starts_per_second=starts,
                deploy_seconds=1.5,
                cloned_voices={f"{MODEL}-{n}-{n * 16}": "OK" for n in "ab"},
                differ=differ,
                **settings,
            )
            return await stack.enter_async_context(Emulator(config))

        regions = {region: await emulator(region) for region in (BEIJING, SINGAPORE)}
        hasty = await emulator(BEIJING, **_HASTY)
        throttled = await emulator(BEIJING, _STARTS)

        def place(emulator: Emulator, other: Emulator, pace: Pace) -> Place:
            region = emulator.config.region
            service = Service(
                url=emulator.url,
                other_url=other.url,
                region=region,
                key=next(key for key, of in KEYS.items() if of == region),
                session=session,
                pace=pace,
                starts=emulator.config.starts_per_second or _ANY_NUMBER,
            )
            return Place(emulator, service)

        beijing, singapore = regions[BEIJING], regions[SINGAPORE]
        yield Emulated(
            {
                BEIJING: place(beijing, singapore, Pace(**_PACE)),
                SINGAPORE: place(singapore, beijing, Pace(**_PACE)),
            },
            place(hasty, singapore, Pace(**_PACE, **_HASTY)),
            place(throttled, singapore, Pace(**_PACE)),
        )
