"""Routes, one router per file."""
