"""The emulator by itself: ``python -m tests.emulator --port P --api-key K``."""

import argparse
import asyncio
import contextlib
import logging
from pathlib import Path
import signal

from .config import EmulatorConfig
from .differences import differences
from .script import Fault
from .server import Emulator


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulator",
        description="A local stand-in for the CosyVoice service of Model Studio.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8765, help="port to listen on; 0 takes a free one")
    add("--api-key", action="append", metavar="KEY", help="a valid key; repeatable")
    add("--region", default="cn-beijing", choices=("cn-beijing", "ap-southeast-1"))
    add("--first-packet-ms", type=float, default=0, metavar="N")
    add("--rtt-ms", type=float, default=0, metavar="N", help="network round trip")
    add("--tls-round-trips", type=int, default=1, metavar="N")
    add("--real-time-factor", type=float, default=0, metavar="F")
    add("--chunk-ms", type=float, default=100, metavar="N", help="audio in a frame")
    add("--speech", default="voice", choices=("voice", "signal", "silence"))
    add("--text-gap", type=float, default=23, metavar="S", help="limit between texts")
    add("--idle", type=float, default=60, metavar="S", help="limit between tasks")
    add(
        "--usage",
        default="sentence",
        choices=("sentence", "finished", "both", "none", "old"),
        help="where billed characters are reported",
    )
    add(
        "--starts-per-second", type=int, default=3, metavar="N", help="0 for any number"
    )
    add(
        "--cloned-voice",
        action="append",
        default=[],
        metavar="ID[:STATUS]",
        help="a cloned voice of the account; repeatable",
    )
    add(
        "--fault",
        action="append",
        default=[],
        type=Fault.parse,
        metavar="KIND@POINT[,NAME=VALUE]...",
        help="something that goes wrong, such as reset@mid_sentence,times=2; repeatable",
    )
    add(
        "--differ",
        action="append",
        default=[],
        choices=sorted(differences()),
        metavar="NAME",
        help="a point of differences.json in which to differ; repeatable",
    )
    add("--record", type=Path, metavar="FILE", help="keep a transcript")
    add("--record-texts", action="store_true", help="let the transcript have the texts")
    add("--replay", type=Path, metavar="FILE", help="play a transcript")
    add("--verbose", action="store_true", help="log debug messages")
    return parser.parse_args(arguments)


def configuration(options: argparse.Namespace) -> EmulatorConfig:
    """Return the configuration that the command line asks for."""
    voices = (voice.partition(":") for voice in options.cloned_voice)
    return EmulatorConfig(
        host=options.host,
        port=options.port,
        api_keys=frozenset(options.api_key or ["sk-test"]),
        region=options.region,
        speech=options.speech,
        usage=options.usage,
        round_trip=options.rtt_ms / 1000,
        tls_round_trips=options.tls_round_trips,
        first_packet=options.first_packet_ms / 1000,
        real_time_factor=options.real_time_factor,
        chunk=options.chunk_ms / 1000,
        text_gap=options.text_gap,
        idle=options.idle,
        starts_per_second=options.starts_per_second,
        cloned_voices={voice: status or "OK" for voice, _, status in voices},
        record=options.record,
        record_texts=options.record_texts,
        replay=options.replay,
        differ=options.differ,
        faults=options.fault,
    )


async def run(config: EmulatorConfig) -> None:
    """Run until interrupted or terminated."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Emulator(config) as emulator:
        print(f"CosyVoice emulator at {emulator.url}", flush=True)
        await stop.wait()


def main() -> None:
    """Run the emulator as the command line says."""
    options = parse_arguments()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(configuration(options)))


if __name__ == "__main__":
    main()
