"""Read the marks inside the lines of Markdown while they stream."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from html import unescape
import re

from ..characters import printable
from ..tags import TAGS
from . import markup
from .reading import LOOK_AHEAD, StepReader, UndecidedError
from .spoken import SpokenText


class InlineReader(StepReader, ABC):
    """Speaks the text inside a line without the marks."""

    def __init__(self, first_step: Callable[[], None]) -> None:
        """Begin with an empty text."""
        super().__init__(first_step)
        self._spoken = SpokenText()
        self._closer = markup.COMMENT_END  # The end of a formula or of skipped text.
        self._hidden: list[str] = []  # Left out if its end arrives.
        self._parentheses = 0  # Open ones of a web address.
        self._in_angles = False  # The web address began with "<".
        self._begin_line()
        self._marks: dict[str, Callable[[], None]] = {
            " ": self._space,
            "\n": self._newline,
            "*": self._stars,
            "_": self._underscores,
            "~": self._tildes,
            "`": self._backticks,
            "$": self._dollar,
            "\\": self._backslash,
            "<": self._angle,
            "&": self._ampersand,
            "!": self._exclamation,
            "[": self._open_bracket,
            "]": self._close_bracket,
            "|": self._pipe,
            "#": self._hash,
            "【": self._lenticular,
        }

    @abstractmethod
    def _end_line(self) -> None:
        """End the line in the written and the spoken text."""

    @abstractmethod
    def _begin_fence(self, fence: str) -> bool:
        """Enter a code block, if the rest of the line allows one."""

    def _begin_line(self) -> None:
        self._in_row = False
        self._in_heading = False
        self._in_title = False  # It began in bold.
        self._is_title = False  # All of it so far was in bold.
        self._emphasis: set[int] = set()  # Lengths of the open runs of "*".
        self._has_numbers = False  # A number in brackets was spoken.
        self._brackets: list[bool] = []  # Open ones of a link; True: the link's own.
        self._span = ""  # A formula or code may have begun: "$" or backticks.
        self._is_price = False  # A digit follows that "$".

    def _inline(self) -> None:
        special = markup.SPECIAL.search(self._text, self._at)
        start = special.start() if special else len(self._text)
        if start > self._at:
            self._keep(self._text[self._at : start])
        if special is None:
            return
        if special["address"]:
            self._address(special.end())
        elif special["arrow"]:
            self._spoken.pause()
            self._at = special.end()
        elif special["picture"]:
            self._spoken.picture()
            self._at = special.end()
        elif special["begun"]:
            self._character(special.end())
            self._keep(special[0])
        elif self._is_verbatim(special[0]):
            self._keep(special[0])
        else:
            self._marks[special[0]]()

    def _say(self, text: str) -> None:
        self._is_title = False
        self._spoken.add(text)

    def _keep(self, text: str) -> None:
        """Speak text of this length unchanged, and advance."""
        self._say(text)
        self._at += len(text)

    def _space(self) -> None:
        self._spoken.space()
        self._at += 1

    def _newline(self) -> None:
        self._end_line()
        self._at += 1

    def _is_verbatim(self, mark: str) -> bool:
        """Return whether a mark is part of a formula or of code."""
        if not self._span or mark in " \n`$":
            return False
        if self._span == "$":
            if mark not in ("\\" if self._is_price else "\\_*<|"):
                return False
            if mark == "*" and self._character(self._at + 1) == "*":
                return False
        return self._span_ends()

    def _span_ends(self) -> bool:
        """Return whether the possible formula or code ends in this line."""
        pattern = (
            markup.DOLLAR_END
            if self._span == "$"
            else re.compile(f"(?<!`){self._span}(?!`)")
        )
        limit = self._at + LOOK_AHEAD
        line_end = self._text.find("\n", self._at, limit)
        end = pattern.search(self._text, self._at, line_end if line_end >= 0 else limit)
        if line_end < 0 and (end is None or end.end() == len(self._text)):
            if not self._has_arrived(self._at):
                raise UndecidedError
        if end is None:
            self._span = ""
        return end is not None

    def _stars(self) -> None:
        run, after = self._run(markup.STARS)
        if self._is_operator(run, after):
            self._keep(run)
            return
        if len(run) in self._emphasis:
            self._emphasis.discard(len(run))
        elif not _is_space(after):
            self._emphasis.add(len(run))
        self._drop_emphasis(run)

    def _is_operator(self, run: str, after: str) -> bool:
        """Return whether ``*`` or ``**`` is arithmetic here."""
        before = self._before()
        if _is_space(before) or _is_space(after):
            return run == "*" and before == after == " "
        if before.isdigit() and after.isdigit():
            return len(run) <= 2
        if run == "*" and after == "#":
            return True
        if len(run) > 2 or len(run) in self._emphasis:
            return False
        if (_is_ascii_word(before) or before in ")]%°′") and (
            _is_ascii_word(after) or after == "("
        ):
            return run == "*" or before.isdigit() or after.isdigit()
        if run == "*" and before.isalnum() and after.isalnum():
            if before.isdigit() or {before, after} <= markup.DIMENSIONS:
                return True
            return not self._emphasis_ends()
        return False

    def _emphasis_ends(self) -> bool:
        match = markup.UNTIL_STAR.match(self._text, self._at + 1)
        end = match.end() if match else self._at
        if self._character(end) != "*":
            return False
        after = self._character(end + 1)
        return after != "*" and not after.isdigit()

    def _drop_emphasis(self, run: str) -> None:
        if len(run) > 2:
            self._spoken.picture()
        if len(run) >= 2:
            self._is_title = self._in_title and self._spoken.started
            self._in_title = not self._spoken.started
        self._at += len(run)

    def _underscores(self) -> None:
        run, after = self._run(markup.UNDERSCORES)
        before = self._before()
        is_face = run == "_" and before + after in markup.FACES
        in_name = before.isalnum() and after.isalnum()
        is_subscript = run == "_" and (before == "}" or after in ("{", "\\"))
        if (
            is_face
            or is_subscript
            or (in_name and (before.isascii() or after.isascii()))
        ):
            self._keep(run)
        else:
            self._drop_emphasis(run)

    def _tildes(self) -> None:
        run, after = self._run(markup.TILDES)
        if run == "~" or (self._before().isdigit() and after.isdigit()):
            self._keep(run)
        else:
            self._at += len(run)

    def _pipe(self) -> None:
        if not self._in_row:
            after = self._character(self._at + 1)
            if not (_is_space(self._before()) and _is_space(after)):
                self._keep("|")
                return
            self._spoken.sentence = True
        self._spoken.pause()
        self._at += 1

    def _hash(self) -> None:
        if self._in_heading and _is_space(self._before()):
            run, after = self._run(markup.HEADING_END)
            if after in ("", "\n"):
                self._at += len(run)
                return
        self._keep("#")

    def _backticks(self) -> None:
        run, _ = self._run(markup.BACKTICKS)
        if run == self._span:
            self._span = ""
        elif len(run) >= 3 and self._begin_fence(run):
            return
        else:
            self._span = run
        self._at += len(run)

    def _ampersand(self) -> None:
        entity = self._whole(markup.ENTITY, markup.ENTITY_BEGUN)
        text = unescape(entity)
        if text == entity:
            self._keep("&")
        else:
            self._say(markup.PICTURE.sub("", printable(text)).strip())
            if text.isspace():
                self._spoken.space()
            self._at += len(entity)

    def _exclamation(self) -> None:
        # After a word it most likely ends a sentence, which must not wait.
        if self._before().isalnum() or self._character(self._at + 1) != "[":
            self._keep("!")
        else:
            self._at += 1

    def _lenticular(self) -> None:
        if citation := self._whole(markup.CITATION, markup.CITATION_BEGUN):
            self._at += len(citation)
        else:
            self._keep("【")

    # Formulas.

    def _dollar(self) -> None:
        after = self._character(self._at + 1)
        if self._span.startswith("`") and self._span_ends():
            self._keep("$")
        elif after == "$":
            self._begin_formula("$$")
        elif self._span and not _is_space(self._before()) and not after.isdigit():
            self._span = ""
            self._keep("$")
        else:
            self._span = "" if _is_space(after) else "$"
            self._is_price = after.isdigit()
            self._keep("$")

    def _backslash(self) -> None:
        after = self._character(self._at + 1)
        if tag := self._whole(markup.ESCAPED_TAG, markup.ESCAPED_TAG_BEGUN):
            self._say(tag.replace("\\", ""))
            self._at += len(tag)
        elif after in ("(", "["):
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
                raise UndecidedError
        self._keep(self._text[self._at : end])

    # Links and addresses.

    def _open_bracket(self) -> None:
        if self._sources():
            return
        label = self._here(markup.LINK_TEXT)
        if not label and not self._has_arrived(self._at):
            if "\n" not in self._text[self._at :]:
                raise UndecidedError
        after = self._character(self._at + len(label)) if label else ""
        if label.startswith("[^") or markup.ALERT.fullmatch(label):
            self._at += len(label) + (after == ":" and not self._spoken.started)
        elif after == "(" or (after == "[" and self._is_link_text(label)):
            self._brackets.append(True)
            self._at += 1
        else:
            if self._brackets:
                self._brackets.append(False)
            self._keep("[")

    def _sources(self) -> bool:
        """Leave out the numbers of sources.

        Return whether there are any here.
        """
        self._wait_for(markup.SOURCES_BEGUN)
        run = self._here(markup.SOURCES)
        if not run:
            return False
        if run[1].isdigit() and not self._is_source(
            self._before(), self._character(self._at + len(run))
        ):
            self._has_numbers = True
            return False
        self._at += len(run)
        return True

    def _is_source(self, before: str, after: str) -> bool:
        """Return whether a number in brackets is a source, not an index."""
        if self._has_numbers or after in ("(", "[", ":"):
            return False
        if before in markup.BEFORE_SOURCES:
            return True
        return after in markup.AFTER_SOURCES and before != "]" and not _is_space(before)

    def _is_link_text(self, label: str) -> bool:
        """Return whether brackets before brackets are a link, not an index or a tag."""
        is_index = _is_ascii_word(self._before()) or label[1:-1].isdigit()
        return not is_index and label not in TAGS

    def _close_bracket(self) -> None:
        if self._brackets and self._brackets.pop():
            self._at += 1
            self._step = self._destination
        else:
            self._keep("]")

    def _destination(self) -> None:
        self._step = self._inline
        if target := self._whole(markup.DESTINATION, markup.DESTINATION_BEGUN):
            self._at += len(target)
        elif self._begun(markup.DESTINATION_BEGUN).startswith("("):
            self._skip_to(markup.DESTINATION_END)

    def _address(self, host_start: int) -> None:
        match = markup.HOST.match(self._text, host_start, host_start + LOOK_AHEAD)
        host = match[0] if match else ""
        if len(host) < LOOK_AHEAD:
            self._character(host_start + len(host))
        host = host.rstrip(".-")
        self._say(host.removeprefix("www."))
        self._at = host_start + len(host)
        self._parentheses = 0
        self._step = self._path

    def _path(self) -> None:
        first = self._text[self._at]
        if part := self._here(markup.PATH_PART):
            self._at += len(part)
        elif first == "(" or (first == ")" and self._parentheses):
            self._parentheses += 1 if first == "(" else -1
            self._at += 1
        elif (stop := self._here(markup.PATH_STOP)) and markup.PATH_PART.match(
            self._character(self._at + len(stop))
        ):
            self._at += len(stop)
        else:
            self._at += self._in_angles and first == ">"
            self._in_angles = False
            self._step = self._inline

    # HTML.

    def _angle(self) -> None:
        if self._text.startswith("<!--", self._at):
            if not self._hide("<!", markup.COMMENT_END):
                self._spoken.picture()
                self._at += len("<!--")
        elif token := self._whole(markup.TOKEN, markup.TOKEN_BEGUN):
            self._at += len(token)
        elif tag := self._whole(markup.TAG, markup.TAG_BEGUN):
            self._tag(tag)
        elif markup.ANGLE_ADDRESS.match(self._text, self._at):
            self._in_angles = True
            self._at += 1
        elif "=" in self._begun(markup.TAG_BEGUN):
            self._skip_to(markup.TAG_END)
        else:
            self._keep("<")

    def _tag(self, tag: str) -> None:
        word = tag.strip("</>").split()[0]
        name = word.lower()
        hidden = markup.HIDDEN_TAGS.get(name)
        if hidden and not tag.startswith("</") and self._hide(tag, hidden):
            return
        self._at += len(tag)
        if name in markup.CELL_TAGS or (name == "br" and self._in_row):
            self._spoken.pause()
        elif name in markup.LINE_TAGS:
            if self._spoken.started:
                self._end_line()
            self._spoken.sentence |= name in markup.SENTENCE_TAGS
        elif alternative := markup.ALTERNATIVE.search(tag):
            self._say(alternative[1])
        elif tag == f"<{word}>" and name not in markup.OTHER_TAGS:
            self._spoken.picture()
            self._say(word)
            self._spoken.picture()

    def _hide(self, opening: str, end: re.Pattern[str]) -> bool:
        """Leave out the text up to an end.

        Return whether it is left out.

        Within a line the end must be near, or the opening is only mentioned. At the
        start of a line, and for a model's thoughts, the end may arrive much later.
        """
        start = self._at + len(opening)
        if self._spoken.started and end not in markup.ENDS_OF_THOUGHT:
            if not end.search(self._text, start, start + LOOK_AHEAD):
                if not self._has_arrived(start):
                    raise UndecidedError
                return False
        self._at = start
        self._closer = end
        self._step = self._hidden_text
        return True

    def _hidden_text(self) -> None:
        if match := self._closer.search(self._text, self._at):
            self._hidden.clear()
            self._at = match.end()
            self._step = self._inline
        elif self._final:  # Never closed: speak the text.
            hidden = "".join(self._hidden) + self._text[self._at :]
            self._hidden.clear()
            self._text = self._text[: self._at] + hidden.removeprefix("--")
            self._step = self._inline
        else:
            end = max(self._at, len(self._text) - markup.LONGEST_END)
            self._hidden.append(self._text[self._at : end])
            self._at = end
            raise UndecidedError

    def _skip_to(self, end: re.Pattern[str]) -> None:
        self._closer = end
        self._step = self._skip

    def _skip(self) -> None:
        if match := self._closer.search(self._text, self._at):
            self._at = match.end()
            self._step = self._inline
        else:
            self._at = len(self._text)


def _is_space(character: str) -> bool:
    return not character or character in " \n"


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()
