"""How light travels through the ice, and how likely what was seen is under a track or a shower."""
