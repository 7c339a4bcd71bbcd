"""How the service reads text: what it counts, where sentences end, what SSML says."""

from dataclasses import dataclass, replace
import re
from xml.parsers import expat

from .tags import has_sound

_HAN = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U000323af]"
)
_SENTENCE_END = re.compile(r"(?:[。！？!?；;…\n]|\.(?=\s))+[”’\"'）)」』】》\s]*")
_CLAUSE_END = re.compile(r"[，、,：:\s]")
# No documented figure: long enough for any sentence, short enough to speak in one piece.
_LONGEST_SENTENCE = 300
_SSML_TAGS = {"speak", "break", "sub", "phoneme", "soundEvent", "say-as"}
_MARKUP = re.compile(rf"</?(?:{'|'.join(sorted(_SSML_TAGS))})\b[^<>]*>")
_LONGEST_BREAK = 10.0


def count_characters(text: str) -> int:
    """Return what the service bills for text: 2 for a Han ideograph, else 1.

    Source: Model Studio's CosyVoice documentation.
    """
    return len(text) + len(_HAN.findall(text))


def is_speakable(text: str) -> bool:
    """Return True if there is anything to say: a letter, ideograph, digit or sound."""
    return any(character.isalnum() for character in text) or has_sound(text)


def normalise(text: str) -> str:
    """Return the text with white space made plain, to compare sentences by."""
    return " ".join(text.split())


def split_sentences(text: str) -> list[str]:
    """Return the sentences that the service makes of a text, normalised."""
    segmenter = Segmenter()
    return [normalise(s) for s in (*segmenter.push(text), *segmenter.flush())]


class Segmenter:
    """Cuts streamed text into sentences.

    A sentence comes out as soon as speakable text follows its end; the last one is
    held back until ``flush``, whatever it ends in. Joined together, the sentences are
    the text that was pushed.
    """

    def __init__(self, ends: str = "", *, holds_last: bool = True) -> None:
        """Begin without text.

        Args:
            ends: What ends a sentence, as a regular expression; empty for the usual.
            holds_last: False to take a sentence for complete before text follows.
        """
        self._text = ""
        self._ends = re.compile(ends) if ends else _SENTENCE_END
        self._holds_last = holds_last

    def push(self, text: str) -> list[str]:
        """Add text and return the sentences that are now complete."""
        self._text += text
        sentences = []
        while end := self._first_end():
            sentences.append(self._text[:end])
            self._text = self._text[end:]
        return sentences

    def flush(self) -> list[str]:
        """Return what was held back, if there is anything to say in it."""
        if not is_speakable(self._text):
            return []
        rest, self._text = self._text, ""
        return [rest]

    def _first_end(self) -> int:
        too_long = len(self._text) > _LONGEST_SENTENCE and is_speakable(
            self._text[:_LONGEST_SENTENCE]
        )
        for match in self._ends.finditer(self._text):
            end = match.end()
            if too_long and end > _LONGEST_SENTENCE:
                break
            if is_speakable(self._text[:end]):
                followed = is_speakable(self._text[end:]) or not self._holds_last
                return end if followed else 0
        if not too_long:
            return 0
        clauses = list(_CLAUSE_END.finditer(self._text, 0, _LONGEST_SENTENCE))
        end = clauses[-1].end() if clauses else _LONGEST_SENTENCE
        return end if is_speakable(self._text[:end]) else 0


@dataclass(frozen=True)
class Passage:
    """Text to speak, with what SSML said about it.

    Attributes:
        text: The text without markup.
        pause: Seconds of silence after it.
        rate: Speech rate of the ``speak`` element, if it gave one.
        pitch: Its pitch.
        volume: Its volume.
    """

    text: str
    pause: float = 0.0
    rate: float | None = None
    pitch: float | None = None
    volume: float | None = None


def is_ssml(text: str) -> bool:
    """Return True if the text is markup rather than plain text."""
    return text.lstrip().startswith("<speak")


def drop_markup(text: str) -> str:
    """Return the text without the elements of SSML, well-formed or not."""
    return _MARKUP.sub("", text)


def parse_ssml(
    text: str, *, siblings: bool = True, aliases: bool = True
) -> list[Passage]:
    """Return the passages of one or, with ``siblings``, more ``speak`` elements.

    Args:
        text: The markup.
        siblings: True if there may be several ``speak`` elements.
        aliases: True if the alias of ``sub`` is spoken and not its text.

    Raises:
        ValueError: If it is not well-formed, or has an unknown or misplaced element.
    """
    if not siblings and text.count("</speak>") > 1:
        raise ValueError("more than one <speak>")
    reader = _SsmlReader(aliases=aliases)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(f"<ssml>{text}</ssml>", True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return reader.passages


class _SsmlReader:
    def __init__(self, *, aliases: bool) -> None:
        self._aliases = aliases
        self.passages: list[Passage] = []
        self._open: list[str] = []
        self._prosody: dict[str, str] = {}
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        expected = {"ssml"} if not self._open else {"speak"}
        if len(self._open) >= 2:
            expected = _SSML_TAGS - {"speak"}
        if name not in expected:
            raise ValueError(f"<{name}> is not possible here")
        self._open.append(name)
        if name == "speak":
            self._prosody = attributes
        elif name == "break":
            self._add(_seconds(attributes.get("time", "1s")))
        elif name == "sub" and self._aliases:
            self._text += attributes.get("alias", "")

    def end(self, name: str) -> None:
        self._open.pop()
        if name == "speak":
            self._add(0.0)

    def characters(self, text: str) -> None:
        if "speak" not in self._open:
            if text.strip():
                raise ValueError("text outside of <speak>")
        elif self._open[-1] != "sub" or not self._aliases:
            self._text += text

    def _add(self, pause: float) -> None:
        if self.passages and not is_speakable(self._text):
            # Breaks in a row add up, to as long as one may be.
            last = self.passages[-1]
            pause = min(last.pause + pause, _LONGEST_BREAK)
            self.passages[-1] = replace(last, text=last.text + self._text, pause=pause)
            self._text = ""
            return
        self.passages.append(
            Passage(
                self._text,
                pause,
                self._setting("rate", 0.5, 2),
                self._setting("pitch", 0.5, 2),
                self._setting("volume", 0, 100),
            )
        )
        self._text = ""

    def _setting(self, name: str, low: float, high: float) -> float | None:
        if name not in self._prosody:
            return None
        value = float(self._prosody[name])
        if not low <= value <= high:
            raise ValueError(f"{name} must be in [{low}, {high}]")
        return value


def _seconds(time: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", time)
    if match is None:
        raise ValueError(f"{time!r} is no time")
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    return min(seconds, _LONGEST_BREAK)
