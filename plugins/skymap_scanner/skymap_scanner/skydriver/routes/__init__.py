"""SkyDriver's routes, by the tags of its OpenAPI document."""
