"""Voice activity detection with the packages that have wheels for Python 3.14.

Home Assistant pins pymicro-vad 1 and pyspeex-noise 1, which need a compiler there.
Version 2 of both has the same functions under other names.
"""

from types import SimpleNamespace

from pymicro_vad import MicroVad
from pyspeex_noise import AudioProcessor

_NAME = "Process10ms"


def adapt() -> None:
    """Add the names of version 1 that Home Assistant calls."""
    setattr(MicroVad, _NAME, MicroVad.process_10ms)
    setattr(AudioProcessor, _NAME, _process)


def _process(processor: AudioProcessor, audio: bytes) -> SimpleNamespace:
    return SimpleNamespace(audio=processor.process_10ms(audio))
