"""Makes pilots exist where they should, and takes them away again."""
