"""A network between a client and a service: delay, jitter, loss and a rate.

A relay imitates it above TCP, so no privileges are needed: a lost segment arrives one
retransmission later and all after it wait, as a reader of TCP sees it. It knows no
congestion control: a real line with loss also slows down.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import datetime as dt
import ipaddress
import random
import socket
import ssl
import tempfile
from typing import override

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SEGMENT = 1_400
"""Bytes that are lost or delayed together."""
RETRANSMISSION = 0.2
"""Shortest seconds until a lost segment is sent again (Linux, TCP_RTO_MIN)."""
HOST = "service.test"


@dataclass(frozen=True, slots=True)
class Line:
    """A network.

    Attributes:
        name: What the tables call it.
        round_trip: Seconds.
        jitter: Most seconds by which a segment is late.
        loss: Share of segments that are lost.
        rate: Bytes per second; None for any.
        name_lookup: Seconds to find the host's address.
    """

    name: str
    round_trip: float
    jitter: float = 0.0
    loss: float = 0.0
    rate: float | None = None
    name_lookup: float = 0.03


FAR = 0.2
"""Seconds of a round trip to another continent."""
LINES = (
    Line("no loss", FAR),
    Line("1 % loss", FAR, loss=0.01),
    Line("3 % loss", FAR, loss=0.03),
    Line("50 ms jitter", FAR, jitter=0.05),
    Line("30 kB/s", FAR, rate=30_000),
)


@asynccontextmanager
async def relay(line: Line, service: str) -> AsyncGenerator[tuple[str, ssl.SSLContext]]:
    """Run a service behind a network and TLS 1.3.

    Yields:
        Its root, and what trusts its certificate.
    """
    host, _, port = service.removeprefix("http://").rpartition(":")
    context, trusting = _certificate()
    chance = random.Random(line.name)

    async def end_tls(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _join(reader, writer, host, int(port), None, chance)

    async def pass_on(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = inner.sockets[0].getsockname()
        await _join(reader, writer, address[0], address[1], line, chance)

    inner = await asyncio.start_server(end_tls, "127.0.0.1", 0, ssl=context)
    outer = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with inner, outer:
        yield f"https://{HOST}:{outer.sockets[0].getsockname()[1]}", trusting


class SlowResolver(AbstractResolver):
    """Finds this machine under any name, after a while."""

    def __init__(self, seconds: float) -> None:
        """Take this number of seconds."""
        self._seconds = seconds

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        await asyncio.sleep(self._seconds)
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        pass


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    port: int,
    line: Line | None,
    chance: random.Random,
) -> None:
    """Pass on what comes, both ways, until one side closes."""
    if line is not None:
        await asyncio.sleep(line.round_trip)  # The handshake of TCP
    service_reader, service_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(
        _copy(reader, service_writer, line, chance),
        _copy(service_reader, writer, line, chance),
    )


async def _copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    line: Line | None,
    chance: random.Random,
) -> None:
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            at, data = await under_way.get()
            await asyncio.sleep(at - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    async def send() -> None:
        free = arrival = loop.time()
        data = b"-"
        while data:
            data = await reader.read(SEGMENT)
            sent = loop.time()
            if line is None:
                under_way.put_nowait((sent, data))
                continue
            if line.rate is not None:
                free = sent = max(free, sent) + len(data) / line.rate
            late = line.round_trip / 2 + chance.random() * line.jitter
            if chance.random() < line.loss:
                late += max(RETRANSMISSION, line.round_trip)
            arrival = max(arrival, sent + late)
            under_way.put_nowait((arrival, data))

    with suppress(ConnectionError, ssl.SSLError):
        await asyncio.gather(send(), deliver())
    writer.close()


def _certificate() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's TLS 1.3 with a new certificate, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    # OpenSSL reads a key from a file only.
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + secret)
        file.flush()
        server.load_cert_chain(file.name)
    client = ssl.create_default_context(cadata=pem.decode())
    return server, client
