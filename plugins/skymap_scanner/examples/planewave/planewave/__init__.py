"""The light of an event as a plane wave: crude, fast, and short enough to show how a reconstruction is added."""
