"""A table that keeps its place while its rows change, and leaves columns out where there is no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.widgets import DataTable

from ewms.top.source import Table
from ewms.top.words import shortened

_MARKER = "marker"
_PADDING = 2
_MARKER_WIDTH = 1 + _PADDING
_SCROLLBAR = 2
_WIDEST = 80
_SOFT = 24
"""Longer cells are cut before a column is left out."""
_LEAST = 8
_STYLES = {
    "running": "bold green",
    "complete": "green",
    "failed": "bold red",
    "interrupted": "bold red",
    "cancelled": "dim",
    "paused": "yellow",
    "pending": "cyan",
    "ok": "green",
    "ready": "green",
    "TROUBLE": "bold red",
    "NOT ready": "bold red",
}
"""Of words that stand alone in a cell. Colours repeat what the words say."""


class Grid(DataTable[Text]):
    """Shows tables, with a sign before the chosen row that is seen without colours too."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, **arguments)
        self._table: Table | None = None
        self._marked: str | None = None
        self._widths: dict[int, int] = {}

    @property
    def chosen(self) -> str | None:
        """Key of the row with the cursor; None without rows."""
        if self._table is None or not self.is_valid_row_index(self.cursor_row):
            return None
        return self.ordered_rows[self.cursor_row].key.value

    @property
    def shown(self) -> Table | None:
        """What it shows."""
        return self._table

    def show(self, table: Table) -> None:
        """Show a table in place of what was shown; the cursor stays at its row if that is still there."""
        widths = _fit(table, (self.size.width or self.app.size.width) - _SCROLLBAR)
        cells = _cells(table, widths)
        before, self._table = self._table, table
        is_same = widths == self._widths and before is not None and list(before.rows) == list(table.rows)
        if is_same and before is not None and list(before.columns) == list(table.columns):
            self._update(cells)
        else:
            self._widths = widths
            self._rebuild(table, cells)
        self._mark()

    def on_resize(self, event: events.Resize) -> None:
        """Columns come and go with the room for them."""
        if self._table is not None:
            self.show(self._table)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Move the sign."""
        self._mark()

    def _update(self, cells: Mapping[str, Sequence[Text]]) -> None:
        for key, texts in cells.items():
            for number, text in zip(self._widths, texts, strict=True):
                if self.get_cell(key, str(number)) != text:
                    self.update_cell(key, str(number), text)

    def _rebuild(self, table: Table, cells: Mapping[str, Sequence[Text]]) -> None:
        rows, row, scrolled = self.ordered_rows, self.cursor_row, self.scroll_y
        chosen = rows[row].key.value if row < len(rows) else None
        self.clear(columns=True)
        self._marked = None
        self.add_column("", key=_MARKER, width=1)
        for number, width in self._widths.items():
            self.add_column(Text(table.columns[number].title.upper()), key=str(number), width=width)
        for key, texts in cells.items():
            self.add_row(Text(" "), *texts, key=key)
        if cells:
            is_there = chosen is not None and chosen in cells
            self.move_cursor(row=list(cells).index(str(chosen)) if is_there else min(row, len(cells) - 1))
            self.scroll_to(y=scrolled, animate=False)

    def _mark(self) -> None:
        chosen = self.chosen
        if chosen == self._marked or _MARKER not in {column.value for column in self.columns}:
            return
        if self._marked is not None and self._table is not None and self._marked in self._table.rows:
            self.update_cell(self._marked, _MARKER, Text(" "))
        if chosen is not None:
            self.update_cell(chosen, _MARKER, Text(">"))
        self._marked = chosen


def _fit(table: Table, room: int) -> dict[int, int]:
    """Widths of the columns that there is room for, by their numbers."""
    widths = {
        number: min(_WIDEST, max([cell_len(column.title), *(cell_len(row[number]) for row in table.rows.values())]))
        for number, column in enumerate(table.columns)
    }

    def missing(limit: int) -> int:
        return _MARKER_WIDTH + sum(min(width, limit) + _PADDING for width in widths.values()) - room

    while missing(_SOFT) > 0 and (goes := max(widths, key=lambda number: (table.columns[number].rank, number))):
        if not table.columns[goes].rank:
            break
        del widths[goes]
    while (surplus := missing(_WIDEST)) > 0:
        widest = max(widths, key=lambda number: widths[number])
        if widths[widest] <= _LEAST:
            break
        widths[widest] = max(_LEAST, widths[widest] - surplus)
    return widths


def _cells(table: Table, widths: Mapping[int, int]) -> dict[str, list[Text]]:
    return {
        key: [Text(shortened(row[number], widths[number]), style=_STYLES.get(row[number], "")) for number in widths]
        for key, row in table.rows.items()
    }
