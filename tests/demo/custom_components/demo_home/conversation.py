"""A conversation agent that says back what it hears, the way a language model talks."""

import asyncio
from collections.abc import AsyncGenerator
import random
from typing import Literal

from homeassistant.components import conversation
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

# A language model's pace: pieces of 1 to 8 characters, 50 of them a second.
_PIECE = (1, 8)
_PAUSE = 0.02


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the one agent."""
    async_add_entities([Parrot()])


class Parrot(conversation.ConversationEntity):
    """Answers with the words it was given, streamed in small pieces."""

    _attr_name = "Parrot"
    _attr_unique_id = "parrot"
    _attr_supports_streaming = True

    @property
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return that any language will do."""
        return MATCH_ALL

    async def _async_handle_message(
        self,
        user_input: conversation.ConversationInput,
        chat_log: conversation.ChatLog,
    ) -> conversation.ConversationResult:
        """Stream the answer into the chat log."""
        async for _ in chat_log.async_add_delta_content_stream(
            self.entity_id, _pieces(user_input.text)
        ):
            pass
        return conversation.async_get_result_from_chat_log(user_input, chat_log)


async def _pieces(
    text: str,
) -> AsyncGenerator[conversation.AssistantContentDeltaDict]:
    yield {"role": "assistant"}
    lengths = random.Random(len(text))
    while text:
        length = lengths.randint(*_PIECE)
        yield {"content": text[:length]}
        text = text[length:]
        await asyncio.sleep(_PAUSE)
