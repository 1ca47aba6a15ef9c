from __future__ import annotations

import sample
from PIL import ImageFont


def test_the_sample_is_drawn_alike_each_time() -> None:
    assert sample.draw("The end.", 7).tobytes() == sample.draw("The end.", 7).tobytes()
    assert sample.draw("The end.", 7).tobytes() != sample.draw("The end.", 8).tobytes()


def test_every_line_fits_on_its_page() -> None:
    font = ImageFont.load_default(sample.FONT_SIZE)
    for page in sample.texts(50):
        lines = page.splitlines()
        assert len(lines) <= sample.LINES
        assert max(font.getlength(line) for line in lines) < sample.WIDTH - sample.MARGIN


def test_the_sample_has_the_pages_asked_for_and_text_of_its_own() -> None:
    first, second = sample.texts(2)
    assert first.startswith("How a thousand workers lose nothing")
    assert second


def test_prose_is_what_is_left_of_markdown() -> None:
    markdown = """# A *title*

```python
code = "is left out"
```

| a | table |
|---|-------|

See [the docs](docs/x.md), they\u2019re `here`:
- one
- two
"""
    assert list(sample._paragraphs(markdown)) == ["A title", "See the docs, they're here:", "one", "two"]
