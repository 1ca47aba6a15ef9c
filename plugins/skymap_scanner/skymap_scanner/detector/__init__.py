"""The detector: where its modules are, how clear the ice is, and how its directions lie on the sky."""
