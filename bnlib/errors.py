"""The one kind of error that the book raises on purpose: a single line that says what to do."""


class BookError(Exception):
    """Something the reader can mend: a wrong parameter, a missing data set, a damaged record."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the one line that matters."""
        return [f"{type(self).__name__}: {self}"]


class NoData(BookError):
    """A data set that is neither here nor to be had."""
