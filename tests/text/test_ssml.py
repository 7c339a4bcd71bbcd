"""SSML: told from plain text, and refused with the place of the mistake."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.client import EmptyTextError, SsmlError
from custom_components.cosyvoice.text.ssml import ELEMENTS, check_ssml, is_ssml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<speak>你好</speak>", True),
        ('\n <speak rate="1.2">Hi</speak>\n', True),
        ("<speak/>", True),
        ("<speak>never closed", True),
        ("<speaker>", False),
        ("<speak", False),
        ("Say <speak>Hi</speak>", False),
        ("", False),
    ],
)
def test_ssml_begins_with_speak(text: str, expected: bool) -> None:
    assert is_ssml(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "<speak>你好</speak>",
        "\n<speak>A &amp; B &lt; C &#20320; <![CDATA[<b>]]><!-- --></speak>\n",
        '<speak voice="longanyang" rate="0.5" pitch="2" volume="100">x</speak>',
        '<speak effect="echo" effectValue="1" bgm="https://a.b/c.wav">x</speak>',
        '<speak>a<break/>b<break time="50ms"/>c<break time="10s"/></speak>',
        '<speak><sub alias="Worldwide Web">WWW</sub></speak>',
        '<speak><phoneme alphabet="py" ph="yin2 hang2">银行</phoneme></speak>',
        '<speak><say-as interpret-as="telephone">12345</say-as></speak>',
        '<speak>铃声<soundEvent src="https://a.b/c.wav"/></speak>',
        "<speak>one</speak>\n<speak>two</speak>",
        '<speak xml:lang="zh-CN">an attribute left to the service</speak>',
    ],
)
def test_documented_ssml_passes(text: str) -> None:
    check_ssml(text)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("<speak>Hello", "line 1, column 1: <speak> is not closed"),
        ("<speak>Hello <bre", "line 1, column 1: <speak> is not closed"),
        ("<speak>\n你好<sub alias='x'>y", "line 2, column 3: <sub> is not closed"),
        ("<speak>\n你好</speek>", "line 2, column 5: mismatched tag"),
        ("<speak>a < b</speak>", "line 1, column 11: not well-formed (invalid token)"),
        ("<speak>&nbsp;</speak>", "line 1, column 8: undefined entity"),
        ("<speak>\ud800</speak>", "line 1, column 8: not well-formed (invalid token)"),
        (
            "<speak><speak>a</speak></speak>",
            "line 1, column 8: <speak> is not possible here",
        ),
        ("<speak><p>a</p></speak>", "line 1, column 8: <p> is not possible here"),
        ("<speak>a</speak> and more", "line 1, column 17: text outside of <speak>"),
        ("<sub alias='a'>b</sub>", "line 1, column 1: <sub> is not possible here"),
        (
            "<speak><sub>b</sub></speak>",
            "line 1, column 8: <sub> needs the attribute alias",
        ),
        (
            '<speak rate="3">b</speak>',
            'line 1, column 1: rate="3" is not possible: 0.5 to 2',
        ),
        (
            '<speak volume="loud">b</speak>',
            'line 1, column 1: volume="loud" is not possible: 0 to 100',
        ),
        (
            '<speak>\n  <break time="11s"/></speak>',
            'line 2, column 3: time="11s" is not possible: 50ms to 10000ms, or up to 10s',
        ),
        (
            '<speak><break time="soon"/></speak>',
            'line 1, column 8: time="soon" is not possible: 50ms to 10000ms, or up to 10s',
        ),
        (
            '<speak><phoneme alphabet="ipa" ph="a">b</phoneme></speak>',
            'line 1, column 8: alphabet="ipa" is not possible: py, cmu',
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(SsmlError) as refused:
        check_ssml(text)
    assert str(refused.value) == mistake


@pytest.mark.parametrize("text", ["<speak></speak>", "<speak> …。</speak>", "<speak/>"])
def test_an_empty_document_is_refused(text: str) -> None:
    with pytest.raises(EmptyTextError):
        check_ssml(text)


@pytest.mark.parametrize("inside", ["a", '<soundEvent src="x"/>', "<break/>"])
def test_a_document_may_hold_more_than_text(inside: str) -> None:
    check_ssml(f"<speak>{inside}</speak>")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
        '<speak><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;</speak>',
        "<speak>a</speak></ssml><!DOCTYPE x><ssml>",
        "<speak>a</speak></ssml>",
        '<?xml version="1.0"?><speak>a</speak>',
    ],
)
def test_nothing_defines_entities_or_leaves_the_document(text: str) -> None:
    with pytest.raises(SsmlError):
        check_ssml(text)


@given(
    st.lists(
        st.sampled_from([*"<>/=\"'&; \nab", "speak", "<speak>", "</speak>", "<break/>"])
    )
)
def test_any_text_is_accepted_or_refused(parts: list[str]) -> None:
    with suppress(SsmlError, EmptyTextError):
        check_ssml("".join(parts))


def test_every_rule_of_an_attribute_is_of_one_kind() -> None:
    for element in ELEMENTS.values():
        for rule in element.attributes.values():
            kinds = [rule.range, rule.milliseconds, rule.values]
            assert sum(map(bool, kinds)) == 1


@pytest.mark.parametrize("effect", ELEMENTS["speak"].attributes["effect"].values)
def test_every_effect_passes(effect: str) -> None:
    check_ssml(f'<speak effect="{effect}">a</speak>')
    with pytest.raises(SsmlError):
        check_ssml(f'<speak effect="{effect}s">a</speak>')
