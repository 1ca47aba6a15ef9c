"""How many workers each taskforce should have, as a pure function of how things stand."""
