"""Forms of the config flow."""
