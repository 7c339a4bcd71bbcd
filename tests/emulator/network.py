"""Connections below HTTP: not accepted, frozen for a while, or cut."""

import asyncio
from collections.abc import Callable
import socket
import struct
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from .faults import FaultKind
from .script import Fault


class Line:
    """A transport that can stop for a while; what it does not define is the transport's."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Pass everything on."""
        self._transport = transport
        self._thaw: asyncio.TimerHandle | None = None
        self._written = bytearray()
        self._reading = True
        self._closing = False

    def __getattr__(self, name: str) -> Any:
        """Return what the transport has."""
        return getattr(self._transport, name)

    def freeze(self, seconds: float) -> None:
        """Neither read nor write for some seconds; then make up for it."""
        if self._thaw is not None:
            self._thaw.cancel()
        loop = asyncio.get_running_loop()
        self._thaw = loop.call_later(seconds, self._go_on)
        self._transport.pause_reading()

    def cut(self, *, reset: bool) -> None:
        """End the connection, with a reset or in order."""
        if self.is_gone:
            return
        if reset:
            # Lingering for no time makes the kernel send RST instead of FIN.
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """End the connection now, whatever is to be written."""
        if self._thaw is not None:
            self._thaw.cancel()
        self._transport.abort()

    def write(self, data: bytes) -> None:
        """Write now, or after the freeze."""
        if self._thaw is None:
            self._transport.write(data)
        else:
            self._written += data

    def writelines(self, data: list[bytes]) -> None:
        """Write now, or after the freeze."""
        self.write(b"".join(data))

    def pause_reading(self) -> None:
        """Stop reading until ``resume_reading``."""
        self._reading = False
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again, unless frozen."""
        self._reading = True
        if self._thaw is None:
            self._transport.resume_reading()

    @property
    def is_gone(self) -> bool:
        """True if the connection itself has ended or is ending."""
        return self._transport.is_closing()

    def is_closing(self) -> bool:
        """Return True if nothing more can be written."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """Close after everything was written."""
        if self._thaw is None:
            self._transport.close()
        else:
            self._closing = True

    def _go_on(self) -> None:
        self._thaw = None
        if self.is_gone:
            return
        if self._written:
            self._transport.write(bytes(self._written))
            self._written.clear()
        if self._closing:
            self._transport.close()
        elif self._reading:
            self._transport.resume_reading()


class Gate(asyncio.Protocol):
    """Accepts a connection and leads it to HTTP, unless a fault is in the way."""

    def __init__(
        self,
        handler: RequestHandler,
        take: Callable[[], Fault | None],
        opened: Callable[[Line], None],
    ) -> None:
        """Wait for the connection.

        Args:
            handler: What speaks HTTP.
            take: Returns the fault that is due.
            opened: Is called with the connection.
        """
        self._handler = handler
        self._take = take
        self._opened = opened
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lead on, now or later, or do what the fault wants."""
        stream = cast("asyncio.Transport", transport)
        line = Line(stream)
        self._opened(line)
        fault = self._take()
        kind = fault.kind if fault else None
        if fault is None:
            self._lead_on(stream, line)
        elif kind in (FaultKind.RESET, FaultKind.DROP):
            line.cut(reset=kind is FaultKind.RESET)
        elif kind in (FaultKind.SLOW, FaultKind.FREEZE):
            self._timer = asyncio.get_running_loop().call_later(
                fault.seconds, self._lead_on, stream, line
            )

    def data_received(self, data: bytes) -> None:
        """Keep what comes too early."""
        self._received += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up."""
        if self._timer is not None:
            self._timer.cancel()

    def _lead_on(self, stream: asyncio.Transport, line: Line) -> None:
        stream.set_protocol(self._handler)
        self._handler.connection_made(cast("asyncio.Transport", line))
        if self._received:
            self._handler.data_received(bytes(self._received))


def line_of(request: web.Request) -> Line | None:
    """Return the connection that a request came on, if it is still there."""
    transport: object = request.transport
    return transport if isinstance(transport, Line) else None


def cut(request: web.Request, *, reset: bool) -> None:
    """End the TCP connection of a request, with a reset or in order."""
    if (connection := line_of(request)) is not None:
        connection.cut(reset=reset)


def freeze(request: web.Request, seconds: float) -> None:
    """Let the TCP connection of a request carry nothing for some seconds."""
    if (connection := line_of(request)) is not None:
        connection.freeze(seconds)


async def until_gone(request: web.Request) -> None:
    """Wait until the client has closed its connection."""
    # The server tells its handlers only when they read or write: no event to wait for.
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
