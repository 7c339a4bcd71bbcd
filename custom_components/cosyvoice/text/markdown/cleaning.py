r"""Clean the texts of language models while they stream.

Spoken are:

- emphasis, headings, quotes, rules, HTML tags: the text without the marks;
- list items, headings, rows of a table: a sentence each, with a pause between cells;
- links and images: their text; bare addresses: the name of the host;
- inline code, a code block of one short line, blocks marked as text: unchanged;
- formulas (``$…$``, ``$$…$$``, ``\(…\)``, ``\[…\]``), prices, arithmetic, names with
  underscores: unchanged, because the service reads LaTeX;
- an arrow: a pause.

Left out are other code blocks, the targets of reference links, the numbers of sources
(``[1]`` after a word or a sentence), emoji and other pictures, comments, a model's
``<think>`` part and its marks such as ``<|im_end|>``, a terminal's colors. An opening
mark that is never closed hides nothing: the text after it is spoken.

Line breaks are kept: they end sentences.
"""

from ..characters import KEYCAP, is_speakable, printable
from . import markup
from .inline import InlineReader
from .reading import LOOK_AHEAD, UndecidedError

SPOKEN_CODE = 100
"""Characters of the longest line that is spoken if a code block has no other."""


class SpeakableText(InlineReader):
    """Cleans a text that arrives in chunks.

    Cleaning the chunks gives the same as cleaning the whole, wherever the text was
    cut. Plain text passes immediately. A space waits for the word after it. Possible
    markup, such as ``*`` or ``[``, waits for at most :data:`LOOK_AHEAD` characters.
    The time taken grows linearly with the text.
    """

    def __init__(self) -> None:
        """Begin with an empty text."""
        super().__init__(self._line_start)
        self._after_return = False  # The last chunk ended with a carriage return.
        self._escape = ""  # The beginning of a terminal's escape sequence.
        self._fence = ""
        self._code: list[str] = []
        self._in_text_block = False

    def push(self, chunk: str) -> str:
        """Add a chunk of any length.

        Return the text that is decided.
        """
        self._text += self._normal(chunk)
        self._read()
        return self._spoken.take()

    def release(self) -> str:
        """Return the words that wait for what follows: the text pauses.

        They are read as if the text ended here. Code and hidden text are kept.
        """
        waiting = self._text[self._at :]
        in_line = self._step in (self._inline, self._line_start)
        if in_line and is_speakable(waiting) and not markup.FENCE.search(waiting):
            self._final = True
            self._read()
            self._final = False
        return self._spoken.take()

    def finish(self) -> str:
        """Return the rest: the text is complete."""
        self._final = True
        self._read()
        self._end_code()
        self._end_sentence()
        return self._spoken.take()

    def _normal(self, chunk: str) -> str:
        text = chunk[1:] if self._after_return and chunk[:1] == "\n" else chunk
        if chunk:
            self._after_return = chunk[-1] == "\r"
        text = self._escape + text.replace("\r\n", "\n")
        begun = markup.ESCAPE_BEGUN.search(text)
        self._escape = begun[0] if begun else ""
        whole = text.removesuffix(self._escape)
        return printable(markup.ESCAPE.sub("", whole)).replace("＊", "*")

    # The start and the end of a line.

    def _end_sentence(self) -> None:
        self._spoken.sentence |= self._is_title
        self._spoken.end_sentence()
        self._begin_line()
        self._step = self._line_start

    def _end_line(self) -> None:
        self._end_sentence()
        self._spoken.end_line()

    def _line_start(self) -> None:
        first = self._text[self._at]
        if first == " ":
            self._at += 1
        elif first in markup.LINE_MARKS:
            self._line_marks(first)
        elif first in "0123456789":
            self._number()
        elif first == "[" and (definition := self._reference()):
            self._at += len(definition)
        elif first == "[" and self._spoken.sentence:
            self._at += len(self._whole(markup.CHECKBOX, markup.CHECKBOX_BEGUN))
            self._step = self._inline
        elif markup.PICTURE.match(first):
            self._spoken.sentence = True
            self._at += 1
        else:
            self._step = self._inline

    def _reference(self) -> str:
        self._wait_for(markup.REFERENCE_BEGUN)
        definition, after = self._run(markup.REFERENCE)
        return definition if after in ("", "\n") else ""

    def _line_marks(self, first: str) -> None:
        marks = self._here(markup.MARK_RUN)
        end = self._at + len(marks)
        after = self._character(end) if len(marks) < LOOK_AHEAD else ""
        if fence := self._here(markup.FENCE):
            if not self._begin_fence(fence):
                self._step = self._inline
        elif (not after or after == "\n") and not markup.FENCE_INSIDE.match(marks):
            # A rule, the line below a table's head, an empty quote or item.
            self._end_sentence()
            self._at = end + len(after)
        elif heading := self._here(markup.HEADING):
            self._spoken.sentence = self._in_heading = True
            self._at += len(heading)
            self._step = self._inline
        elif first == "|":
            self._in_row = self._spoken.sentence = True
            self._step = self._inline
        elif bullet := self._here(markup.BULLET):
            self._spoken.sentence = True
            self._at += len(bullet)
        elif markup.QUOTE.match(self._text, self._at):
            self._at += 1
        else:
            self._step = self._inline

    def _number(self) -> None:
        digits, mark = self._run(markup.DIGITS)
        end = self._at + len(digits) + 1
        if mark == KEYCAP:
            self._say(f"{digits}.")
            self._spoken.space()
            self._spoken.sentence = True
            self._at = end
        elif mark in ("、", "．") or (
            mark in (".", ")") and self._character(end) == " "
        ):
            self._keep(digits + mark)
            self._spoken.sentence = True
        self._step = self._inline

    # Code blocks.

    def _begin_fence(self, fence: str) -> bool:
        """Enter a code block, if the rest of the line allows one."""
        start = self._at + len(fence)
        match = markup.FENCE_LINE.match(self._text, start, start + LOOK_AHEAD)
        line = match[0] if match else ""
        if len(line) == LOOK_AHEAD or self._character(start + len(line)) in ("`", "~"):
            return False
        if self._spoken.started:
            self._end_line()
        self._begin_line()
        self._at = min(start + len(line) + 1, len(self._text))
        info = line.split()
        self._step = self._line_start
        if self._in_text_block and not info:
            self._in_text_block = False
        elif info and info[0].lower() in markup.TEXT_BLOCKS:
            self._in_text_block = True
        else:
            self._fence = fence
            self._step = self._code_line
        return True

    def _code_line(self) -> None:
        line, newline, _ = self._text[self._at : self._at + LOOK_AHEAD].partition("\n")
        if not newline and not self._has_arrived(self._at):
            raise UndecidedError
        mark = markup.FENCE_END.match(line)
        if mark and mark[1].startswith(self._fence):
            self._end_code()
            self._step = self._line_start
            if mark.end() < len(line):
                line, newline = mark[0], ""
        elif (code := line.lstrip("> ").rstrip()) and len(self._code) < 2:
            self._code.append(code)
        self._at += len(line) + len(newline)

    def _end_code(self) -> None:
        if len(self._code) == 1 and len(self._code[0]) <= SPOKEN_CODE:
            self._say(markup.PICTURE.sub("", self._code[0]))
            self._spoken.sentence = True
            self._end_line()
        self._code.clear()
