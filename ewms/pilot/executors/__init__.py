"""Ways to run a task behind one contract: `base` says what each must do, every other file is one way."""
