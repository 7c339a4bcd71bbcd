"""What language models write, made speakable while it streams.

What is heard of what is written:

- emphasis, headings, quotes, rules, HTML tags: the text without the marks;
- list items, headings, rows of a table: a sentence each; between cells: a pause;
- links and images: their text; bare addresses: the name of the host;
- inline code: as it stands; code blocks: nothing, except one short line and blocks
  marked as text;
- emoji and other pictures, comments, a model's ``<think>`` part: nothing; an arrow:
  a pause;
- formulas (``$…$``, ``$$…$$``, ``\\(…\\)``, ``\\[…\\]``), prices, arithmetic, names with
  underscores: as they stand; the service reads LaTeX;
- a message that begins with ``<speak>``: as it stands; it is SSML.

Line breaks stay, as hints where a sentence ends.
"""

from collections.abc import Callable
from html import unescape
import re

from . import markup
from .spoken import SpokenText
from .symbols import KEYCAP, printable

LOOK_AHEAD = 200
"""Characters that are looked at, and so held back, at most to decide about a mark."""

SPOKEN_CODE = 100
"""Length in characters up to which the only line of a code block is spoken."""


class SpeakableText:
    """Makes a text that arrives in pieces speakable.

    Cleaning the pieces gives the same as cleaning the whole, wherever the text was
    cut. Plain text passes at once; a space waits for the word after it, and what may
    be markup, such as ``*`` or ``[``, until that is decided: :data:`LOOK_AHEAD`
    characters at most. The time taken grows linearly with the text.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._spoken = SpokenText()
        self._text = ""  # What is not decided yet, after one character that is.
        self._at = 0  # Where in _text the first undecided character is.
        self._final = False  # Nothing follows _text.
        self._after_return = False  # The last piece ended with a carriage return.
        self._step: Callable[[], None] = self._beginning
        self._closer = markup.FORMULA_ENDS["$$"]  # What ends a formula or silence.
        self._fence = ""
        self._code: list[str] = []
        self._in_text_block = False
        self._parentheses = 0  # Open ones of a web address.
        self._in_angles = False  # The web address began with "<".
        self._begin_line()

    def push(self, piece: str) -> str:
        """Add a piece of any length; return what can be spoken by now."""
        raw = self._step in (self._beginning, self._ssml)
        self._text += piece if raw else self._normal(piece)
        return self._clean()

    def finish(self) -> str:
        """Return what was held back: the text is complete."""
        self._final = True
        spoken = self._clean()
        self._end_code()
        self._spoken.sentence |= self._is_title
        self._spoken.end_sentence()
        return spoken + self._spoken.take()

    def _clean(self) -> str:
        while self._at < len(self._text):
            step = self._step
            try:
                step()
            except _UndecidedError:
                self._step = step
                break
        kept = min(self._at, 1)
        self._text = self._text[self._at - kept :]
        self._at = kept
        return self._spoken.take()

    def _normal(self, piece: str) -> str:
        text = piece[1:] if self._after_return and piece[:1] == "\n" else piece
        if piece:
            self._after_return = piece[-1] == "\r"
        return printable(text.replace("\r\n", "\n"))

    # What comes next. A step goes on in the text or to another step, or raises
    # _UndecidedError if what it would do depends on text that has not arrived.

    def _character(self, index: int) -> str:
        """Return a character, or nothing at the end of the text."""
        if index >= len(self._text) and not self._final:
            raise _UndecidedError
        return self._text[index : index + 1]

    def _is_whole(self, at: int) -> bool:
        """Return whether all that will be looked at from ``at`` on has arrived."""
        return self._final or len(self._text) - at >= LOOK_AHEAD

    def _match(
        self, whole: re.Pattern[str], begun: re.Pattern[str]
    ) -> re.Match[str] | None:
        """Return what is here, if it is whole; wait for it if it has only begun."""
        end = self._at + LOOK_AHEAD
        if match := whole.match(self._text, self._at, end):
            return match
        if not self._is_whole(self._at) and begun.fullmatch(self._text, self._at):
            raise _UndecidedError
        return None

    def _beginning(self) -> None:
        self._text = self._text.lstrip(" \t\r\n\u3000\ufeff")
        if markup.SPEAK.match(self._text):
            self._step = self._ssml
        elif not self._final and "<speak".startswith(self._text):
            raise _UndecidedError
        else:
            self._text = self._normal(self._text)
            self._step = self._line_start

    def _ssml(self) -> None:
        self._spoken.say(markup.NOT_XML.sub("", self._text[self._at :]))
        self._at = len(self._text)

    def _begin_line(self) -> None:
        self._in_row = False
        self._is_title = False  # The line was in bold, all of it up to here.
        self._in_title = False
        self._emphasis: set[int] = set()  # Lengths of the open runs of "*".
        self._brackets: list[bool] = []  # Open ones of a link; True: the link's own.
        self._span = ""  # A formula or code may have begun here: "$" or backticks.
        self._is_price = False  # It began with "$" and a digit.

    def _end_line(self) -> None:
        self._spoken.sentence |= self._is_title
        self._spoken.end_line()
        self._begin_line()
        self._step = self._line_start

    # The start of a line.

    def _line_start(self) -> None:
        first = self._text[self._at]
        if first == " ":
            self._at += 1
        elif first in markup.LINE_MARKS:
            self._line_marks(first)
        elif first in "0123456789":
            self._number()
        elif first == "[" and self._spoken.sentence:
            self._checkbox()
        elif markup.PICTURE.match(first):
            self._spoken.sentence = True
            self._at += 1
        else:
            self._step = self._inline

    def _line_marks(self, first: str) -> None:
        run = markup.MARK_RUN.match(self._text, self._at, self._at + LOOK_AHEAD)
        assert run is not None
        after = self._character(run.end()) if len(run[0]) < LOOK_AHEAD else ""
        if fence := markup.FENCE.match(self._text, self._at):
            if self._begin_fence(fence[0]):
                return
        elif after in ("", "\n"):
            # A rule, the line below a table's head, an empty quote or item.
            self._at = run.end() + len(after)
            self._spoken.end_sentence()
            self._begin_line()
            return
        if match := markup.HEADING.match(self._text, self._at):
            self._spoken.sentence = True
            self._at = match.end()
            self._step = self._inline
        elif first == "|":
            self._in_row = self._spoken.sentence = True
            self._step = self._inline
        elif match := markup.BULLET.match(self._text, self._at):
            self._spoken.sentence = True
            self._at = match.end()
        elif match := markup.QUOTE.match(self._text, self._at):
            self._at = match.end()
        else:
            self._step = self._inline

    def _number(self) -> None:
        self._step = self._inline
        digits = markup.DIGITS.match(self._text, self._at)
        assert digits is not None
        mark = self._character(digits.end())
        if mark == KEYCAP:
            self._spoken.say(f"{digits[0]}.")
            self._spoken.space()
        elif mark not in (".", ")", "、", "．") or (
            mark in ".)" and self._character(digits.end() + 1) != " "
        ):
            return
        else:
            self._spoken.say(digits[0] + mark)
        self._spoken.sentence = True
        self._at = digits.end() + 1

    def _checkbox(self) -> None:
        self._step = self._inline
        if self._match(markup.CHECKBOX, markup.CHECKBOX_BEGUN):
            self._at += len("[x]")

    # Inside a line.

    def _inline(self) -> None:
        special = markup.SPECIAL.search(self._text, self._at)
        start = special.start() if special else len(self._text)
        if start > self._at:
            self._say(self._text[self._at : start])
            self._at = start
        if special is None:
            return
        if special["mark"]:
            self._mark(special["mark"])
        elif special["address"]:
            self._address(special.end())
        elif special["arrow"]:
            self._spoken.pause()
            self._at = special.end()
        elif special["picture"]:
            self._spoken.picture()
            self._at = special.end()
        elif self._final:
            self._keep(special[0])
        else:
            raise _UndecidedError

    def _say(self, text: str) -> None:
        self._is_title = False
        self._spoken.say(text)

    def _keep(self, text: str) -> None:
        """Speak text as it stands here."""
        self._say(text)
        self._at += len(text)

    def _mark(self, mark: str) -> None:
        if mark == " ":
            self._spoken.space()
            self._at += 1
        elif mark == "\n":
            self._end_line()
            self._at += 1
        elif mark not in "`$" and self._is_verbatim(mark):
            self._keep(mark)
        else:
            _MARKS[mark](self)

    def _is_verbatim(self, mark: str) -> bool:
        """Return whether a mark stands in a formula or in code."""
        if not self._span:
            return False
        if self._span == "$":
            if mark not in ("\\" if self._is_price else "\\_*<|"):
                return False
            if mark == "*" and self._character(self._at + 1) == "*":
                return False
            end_pattern = markup.DOLLAR_END
        else:
            end_pattern = re.compile(f"(?<!`){self._span}(?!`)")
        end = self._at + LOOK_AHEAD
        line_end = self._text.find("\n", self._at, end)
        is_whole = line_end >= 0 or self._is_whole(self._at)
        span_end = end_pattern.search(
            self._text, self._at, line_end if line_end >= 0 else end
        )
        if not is_whole and (span_end is None or span_end.end() == len(self._text)):
            raise _UndecidedError
        if span_end is None:
            self._span = ""
        return span_end is not None

    def _run(self, pattern: re.Pattern[str]) -> tuple[str, str, str]:
        """Return a run of marks with the characters before and after it."""
        run = pattern.match(self._text, self._at)
        assert run is not None
        before = self._text[self._at - 1 : self._at] if self._at else ""
        return before, run[0], self._character(run.end())

    def _stars(self) -> None:
        before, run, after = self._run(markup.STARS)
        if self._is_operator(before, run, after):
            self._keep(run)
            return
        if len(run) in self._emphasis:
            self._emphasis.discard(len(run))
        elif not _is_space(after):
            self._emphasis.add(len(run))
        self._drop_emphasis(run)

    def _is_operator(self, before: str, run: str, after: str) -> bool:
        if len(run) > 2:
            return False
        if _is_space(before) or _is_space(after):
            return run == "*" and before == after == " "
        has_digit = before.isdigit() or after.isdigit()
        if len(run) in self._emphasis and not (before.isdigit() and after.isdigit()):
            return False
        if (_is_ascii_word(before) or before in ")]%°′") and (
            _is_ascii_word(after) or after == "("
        ):
            return run == "*" or has_digit
        if run == "*" and before.isalnum() and after.isalnum():
            return has_digit or not self._closes_soon()
        return False

    def _closes_soon(self) -> bool:
        between = markup.UNTIL_STAR.match(self._text, self._at + 1)
        assert between is not None
        end = between.end()
        return self._character(end) == "*" and self._character(end + 1) != "*"

    def _drop_emphasis(self, run: str) -> None:
        if len(run) >= 2:
            self._is_title = self._in_title and self._spoken.started
            self._in_title = not self._spoken.started
        self._at += len(run)

    def _underscores(self) -> None:
        before, run, after = self._run(markup.UNDERSCORES)
        in_name = before.isalnum() and after.isalnum()
        if in_name and (before.isascii() or after.isascii()):
            self._keep(run)
        elif run == "_" and (before == "}" or after in ("{", "\\")):
            self._keep(run)
        else:
            self._drop_emphasis(run)

    def _tildes(self) -> None:
        before, run, after = self._run(markup.TILDES)
        if run == "~" or (before.isdigit() and after.isdigit()):
            self._keep(run)
        else:
            self._at += len(run)

    def _pipe(self) -> None:
        if not self._in_row:
            before, _, after = self._run(markup.PIPE)
            if not (_is_space(before) and _is_space(after)):
                self._keep("|")
                return
            self._in_row = self._spoken.sentence = True
        self._spoken.pause()
        self._at += 1

    def _dollar(self) -> None:
        before, _, after = self._run(markup.DOLLAR)
        if len(self._span) and self._span != "$" and self._is_verbatim("$"):
            self._keep("$")
        elif after == "$":
            self._begin_formula("$$")
        elif self._span and not _is_space(before) and not after.isdigit():
            self._span = ""
            self._keep("$")
        else:
            self._span = "" if _is_space(after) else "$"
            self._is_price = after.isdigit()
            self._keep("$")

    def _backticks(self) -> None:
        _, run, after = self._run(markup.BACKTICKS)
        if run == self._span:
            self._span = ""
        elif len(run) >= 3 and self._begin_fence(run):
            return
        else:
            self._span = run
        self._at += len(run)

    def _backslash(self) -> None:
        after = self._character(self._at + 1)
        if after in ("(", "["):
            self._begin_formula("\\" + after)
        elif after and after in markup.ESCAPABLE:
            self._at += 1
            self._keep(after)
        elif after == "\n":
            self._at += 1
        else:
            self._keep("\\")

    def _begin_formula(self, opening: str) -> None:
        self._keep(opening)
        self._closer = markup.FORMULA_ENDS[opening]
        self._step = self._formula

    def _formula(self) -> None:
        if match := self._closer.search(self._text, self._at):
            end = match.end()
            self._step = self._inline
        else:
            # The last character may be the first of two that end the formula.
            end = len(self._text) - (not self._final)
            if end == self._at:
                raise _UndecidedError
        self._keep(self._text[self._at : end])

    def _ampersand(self) -> None:
        match = self._match(markup.ENTITY, markup.ENTITY_BEGUN)
        text = unescape(match[0]) if match else "&"
        if match is None or text == match[0]:
            self._keep("&")
        else:
            text = markup.PICTURE.sub("", printable(text)).strip()
            self._say(text)
            if not text:
                self._spoken.space()
            self._at = match.end()

    def _exclamation(self) -> None:
        before = self._text[self._at - 1 : self._at] if self._at else ""
        # After a word it is one, most likely, and the end of a sentence cannot wait.
        if before.isalnum() or self._character(self._at + 1) != "[":
            self._keep("!")
        else:
            self._at += 1

    def _lenticular(self) -> None:
        if match := self._match(markup.CITATION, markup.CITATION_BEGUN):
            self._at = match.end()
        else:
            self._keep("【")

    # Links and addresses.

    def _open_bracket(self) -> None:
        label = markup.LINK_TEXT.match(self._text, self._at, self._at + LOOK_AHEAD)
        if label is None:
            if not self._is_whole(self._at) and "\n" not in self._text[self._at :]:
                raise _UndecidedError
            after = ""
        else:
            after = self._character(label.end())
        if label and label[0].startswith("[^"):
            self._at = label.end() + (after == ":")
        elif label and (after == "(" or (after == "[" and self._is_label(label[0]))):
            self._brackets.append(True)
            self._at += 1
        else:
            if self._brackets:
                self._brackets.append(False)
            self._keep("[")

    def _is_label(self, label: str) -> bool:
        """Return whether brackets before brackets are a link, not an index or a source."""
        before = self._text[self._at - 1 : self._at] if self._at else ""
        return not _is_ascii_word(before) and not label[1:-1].isdigit()

    def _close_bracket(self) -> None:
        if self._brackets and self._brackets.pop():
            self._at += 1
            self._step = self._destination
        else:
            self._keep("]")

    def _destination(self) -> None:
        self._step = self._inline
        if match := self._match(markup.DESTINATION, markup.DESTINATION_BEGUN):
            self._at = match.end()
        elif markup.DESTINATION_BEGUN.fullmatch(
            self._text, self._at, self._at + LOOK_AHEAD
        ):
            self._be_silent_until(markup.DESTINATION_END)

    def _address(self, host_start: int) -> None:
        host = markup.HOST.match(self._text, host_start, host_start + LOOK_AHEAD)
        assert host is not None
        if len(host[0]) < LOOK_AHEAD:
            self._character(host.end())
        name = host[0].rstrip(".-")
        self._say(name.removeprefix("www."))
        self._at = host_start + len(name)
        self._parentheses = 0
        self._step = self._after_host

    def _after_host(self) -> None:
        character = self._text[self._at]
        if match := markup.ADDRESS_PART.match(self._text, self._at):
            self._at = match.end()
            return
        if character == "(" or (character == ")" and self._parentheses):
            self._parentheses += 1 if character == "(" else -1
            self._at += 1
            return
        if match := markup.ADDRESS_STOP.match(self._text, self._at):
            after = self._character(match.end())
            if after and markup.ADDRESS_PART.match(after):
                self._at = match.end()
                return
        if character == ">" and self._in_angles:
            self._at += 1
        self._in_angles = False
        self._step = self._inline

    # HTML.

    def _angle(self) -> None:
        if self._text.startswith("<!--", self._at):
            self._be_silent_until(markup.COMMENT_END)
        elif tag := self._match(markup.TAG, markup.TAG_BEGUN):
            self._at = tag.end()
            self._tag(tag[0])
        elif markup.ANGLE_ADDRESS.match(self._text, self._at):
            self._in_angles = True
            self._at += 1
        elif (
            begun := markup.TAG_BEGUN.fullmatch(
                self._text, self._at, self._at + LOOK_AHEAD
            )
        ) and "=" in begun[0]:
            self._be_silent_until(markup.TAG_END)
        else:
            self._keep("<")

    def _tag(self, tag: str) -> None:
        match = markup.TAG_NAME.match(tag)
        assert match is not None
        name = match[1].lower()
        is_plain = tag == f"<{match[1]}>"
        if name in markup.SILENT_TAGS:
            if not tag.startswith("</"):
                self._be_silent_until(markup.SILENT_TAGS[name])
        elif name in markup.CELL_TAGS or (name == "br" and self._in_row):
            self._spoken.pause()
        elif name in markup.LINE_TAGS:
            if self._spoken.started:
                self._end_line()
            if name in markup.SENTENCE_TAGS:
                self._spoken.sentence = True
        elif alternative := markup.ALTERNATIVE.search(tag):
            self._say(unescape(alternative[1] or alternative[2] or ""))
        elif is_plain and name not in markup.OTHER_TAGS:
            self._say(match[1])

    def _be_silent_until(self, closer: re.Pattern[str]) -> None:
        self._closer = closer
        self._step = self._silence

    def _silence(self) -> None:
        if match := self._closer.search(self._text, self._at):
            self._at = match.end()
            self._step = self._inline
            return
        self._at = max(self._at, len(self._text) - len("</thinking>"))
        if not self._final:
            raise _UndecidedError
        self._at = len(self._text)

    # Code blocks.

    def _begin_fence(self, fence: str) -> bool:
        """Enter a code block, if the rest of the line leaves it one."""
        start = self._at + len(fence)
        line = markup.FENCE_LINE.match(self._text, start, start + LOOK_AHEAD)
        assert line is not None
        if len(line[0]) == LOOK_AHEAD or self._character(line.end()) == "`":
            return False
        info = line[0].split()
        if self._spoken.started:
            self._end_line()
        self._begin_line()
        self._at = min(line.end() + 1, len(self._text))
        if self._in_text_block and not info:
            self._in_text_block = False
            self._step = self._line_start
        elif info and info[0].lower() in markup.TEXT_BLOCKS:
            self._in_text_block = True
            self._step = self._line_start
        else:
            self._fence = fence
            self._step = self._code_line
        return True

    def _code_line(self) -> None:
        line, newline, _ = self._text[self._at : self._at + LOOK_AHEAD].partition("\n")
        if not newline and not self._is_whole(self._at):
            raise _UndecidedError
        self._at += len(line) + len(newline)
        mark = markup.FENCE_END.fullmatch(line)
        if mark and mark[1].startswith(self._fence):
            self._end_code()
            self._step = self._line_start
        elif line.strip() and len(self._code) < 2:
            self._code.append(line.strip())

    def _end_code(self) -> None:
        if len(self._code) == 1 and len(self._code[0]) <= SPOKEN_CODE:
            self._spoken.say(markup.PICTURE.sub("", self._code[0]))
            self._spoken.sentence = True
            self._spoken.end_line()
        self._code.clear()


class _UndecidedError(Exception):
    """More text decides what this text means."""


def _is_space(character: str) -> bool:
    return not character or character in " \n"


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


_MARKS: dict[str, Callable[[SpeakableText], None]] = {
    "*": SpeakableText._stars,
    "_": SpeakableText._underscores,
    "~": SpeakableText._tildes,
    "`": SpeakableText._backticks,
    "$": SpeakableText._dollar,
    "\\": SpeakableText._backslash,
    "<": SpeakableText._angle,
    "&": SpeakableText._ampersand,
    "!": SpeakableText._exclamation,
    "[": SpeakableText._open_bracket,
    "]": SpeakableText._close_bracket,
    "|": SpeakableText._pipe,
    "【": SpeakableText._lenticular,
}
