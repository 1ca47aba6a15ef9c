"""Applications that `ewms run` is measured with."""
