"""Data and shapes that hassfest, Home Assistant's own checker, prescribes."""

import re

import voluptuous as vol

from homeassistant.const import Platform
from homeassistant.helpers import config_validation as cv

MANIFEST_KEYS = {
    "after_dependencies",
    "codeowners",
    "config_flow",
    "dependencies",
    "documentation",
    "domain",
    "import_executor",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "loggers",
    "name",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "version",
}
REQUIRED_KEYS = {
    "codeowners",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "name",
    "version",
}
INTEGRATION_TYPES = {
    "device",
    "entity",
    "hardware",
    "helper",
    "hub",
    "service",
    "system",
}
IOT_CLASSES = {
    "assumed_state",
    "calculated",
    "cloud_polling",
    "cloud_push",
    "local_polling",
    "local_push",
}
# Integrations that any other may import without naming them in its manifest
FREE_IMPORTS = {*Platform} | {
    "automation",
    "conversation",
    "frontend",
    "group",
    "homeassistant",
    "media_source",
    "persistent_notification",
    "script",
    "system_health",
    "webhook",
    "websocket_api",
}
HACS_KEYS = {"country", "hide_default_branch", "homeassistant", "name", "render_readme"}
BRAND_SIZES = {"icon.png": 256, "icon@2x.png": 512}

QUALITY_RULES = {
    "bronze": [
        "action-setup",
        "appropriate-polling",
        "brands",
        "common-modules",
        "config-flow-test-coverage",
        "config-flow",
        "dependency-transparency",
        "docs-actions",
        "docs-triggers",
        "docs-conditions",
        "docs-high-level-description",
        "docs-installation-instructions",
        "docs-removal-instructions",
        "entity-event-setup",
        "entity-unique-id",
        "has-entity-name",
        "runtime-data",
        "test-before-configure",
        "test-before-setup",
        "unique-config-entry",
    ],
    "silver": [
        "action-exceptions",
        "config-entry-unloading",
        "docs-configuration-parameters",
        "docs-installation-parameters",
        "entity-unavailable",
        "integration-owner",
        "log-when-unavailable",
        "parallel-updates",
        "reauthentication-flow",
        "test-coverage",
    ],
    "gold": [
        "devices",
        "diagnostics",
        "discovery-update-info",
        "discovery",
        "docs-data-update",
        "docs-examples",
        "docs-known-limitations",
        "docs-supported-devices",
        "docs-supported-functions",
        "docs-troubleshooting",
        "docs-use-cases",
        "dynamic-devices",
        "entity-category",
        "entity-device-class",
        "entity-disabled-by-default",
        "entity-translations",
        "exception-translations",
        "icon-translations",
        "reconfiguration-flow",
        "repair-issues",
        "stale-devices",
    ],
    "platinum": ["async-dependency", "inject-websession", "strict-typing"],
}


KEY = re.compile(r"^(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])$")

# The shape of translations, after hassfest's
_key = vol.Match(KEY)
_data = {_key: str}
_section = {
    vol.Optional("name"): str,
    vol.Optional("description"): str,
    vol.Optional("data"): _data,
    vol.Optional("data_description"): _data,
}
_flow = {
    vol.Optional("flow_title"): str,
    vol.Required("step"): {
        _key: {
            vol.Optional("title"): str,
            vol.Optional("description"): str,
            vol.Optional("data"): _data,
            vol.Optional("data_description"): _data,
            vol.Optional("menu_options"): _data,
            vol.Optional("menu_option_descriptions"): _data,
            vol.Optional("submit"): str,
            vol.Optional("sections"): {_key: _section},
        }
    },
    vol.Optional("error"): _data,
    vol.Optional("abort"): _data,
    vol.Optional("progress"): _data,
    vol.Optional("create_entry"): _data,
}
_field = {vol.Required("name"): str, vol.Required("description"): str}
_entity = {
    vol.Optional("name"): str,
    vol.Optional("state"): _data,
    vol.Optional("state_attributes"): {
        _key: {vol.Optional("name"): str, vol.Optional("state"): _data}
    },
    vol.Optional("unit_of_measurement"): str,
}
TRANSLATION_SCHEMA = vol.Schema(
    {
        vol.Optional("title"): str,
        vol.Optional("config"): {
            **_flow,
            vol.Optional("initiate_flow"): {vol.Required("user"): str},
        },
        vol.Optional("config_subentries"): {
            cv.slug: {
                **_flow,
                vol.Required("entry_type"): str,
                vol.Required("initiate_flow"): {vol.Required("user"): str, _key: str},
            }
        },
        vol.Optional("options"): _flow,
        vol.Optional("selector"): {
            cv.slug: {
                vol.Optional("choices"): _data,
                vol.Optional("options"): _data,
                vol.Optional("unit_of_measurement"): _data,
                vol.Optional("fields"): {_key: vol.Any(str, _field)},
            }
        },
        vol.Optional("system_health"): {vol.Optional("info"): _data},
        vol.Optional("issues"): {
            _key: {
                vol.Required("title"): str,
                vol.Exclusive("description", "fixable"): str,
                vol.Exclusive("fix_flow", "fixable"): _flow,
            }
        },
        vol.Optional("device"): {_key: {vol.Optional("name"): str}},
        vol.Optional("entity"): {cv.slug: {_key: _entity}},
        vol.Optional("exceptions"): {cv.slug: {vol.Optional("message"): str}},
        vol.Optional("services"): {
            _key: {
                **_field,
                vol.Optional("fields"): {
                    _key: {**_field, vol.Optional("example"): str}
                },
                vol.Optional("sections"): {
                    _key: {vol.Required("name"): str, vol.Optional("description"): str}
                },
            }
        },
        vol.Optional("common"): {cv.slug: str},
    }
)

_icon = vol.Match(r"^mdi:[a-z0-9-]+$")
ICON_SCHEMA = vol.Schema(
    {
        vol.Required("entity"): {
            cv.slug: {
                _key: {
                    vol.Required("default"): _icon,
                    vol.Optional("state"): {_key: _icon},
                    vol.Optional("range"): {str: _icon},
                }
            }
        },
        vol.Optional("services"): {
            _key: {
                vol.Required("service"): _icon,
                vol.Optional("sections"): {_key: _icon},
            }
        },
    }
)
