"""Leading and trailing silence, exact after MP3 encoding."""

from dataclasses import dataclass
from typing import Final

from .mp3 import samples_per_frame

_MP3_DELAY: Final = 1105
"""Samples of silence that coding and decoding MP3 put first (LAME's FAQ)."""
_MP3_FLUSH: Final = 1152
"""Samples that LAME needs beyond its input before it ends on the next whole frame.

Its delay, and as much again at least (``lame_encode_flush`` in libmp3lame).
"""


@dataclass(frozen=True, slots=True)
class Silence:
    """Silence to put around the speech.

    Attributes:
        lead_in: Seconds before the speech.
        trailing: Seconds after it.
        mp3_sample_rate: Hz of the MP3 that the samples become on their way to the
            listener; None if they do not. Coding adds silence of its own, 46 ms at
            24 kHz, which is taken off the lead-in. An MP3 that is played while it
            is made can end with a whole frame only, so that the trailing silence
            is up to half a frame longer or shorter: 12 ms at 24 and 48 kHz.
    """

    lead_in: float = 0.0
    trailing: float = 0.0
    mp3_sample_rate: int | None = None

    def before(self) -> float:
        """Return the seconds to put before the speech."""
        if self.mp3_sample_rate is None:
            return self.lead_in
        return max(0.0, self.lead_in - _MP3_DELAY / self.mp3_sample_rate)

    def after(self, seconds: float) -> float:
        """Return the seconds to put after this much audio, lead-in included."""
        rate = self.mp3_sample_rate
        if rate is None or not self.trailing:
            return self.trailing
        frame = samples_per_frame(rate)
        frames = round(((seconds + self.trailing) * rate + _MP3_DELAY) / frame)
        # In the middle of all lengths that become this many frames
        length = (frames - 0.5) * frame - _MP3_FLUSH
        return max(0.0, length / rate - seconds)


NO_SILENCE: Final = Silence()
