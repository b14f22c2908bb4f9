"""A figure beside the bar that it has to clear, and whether it does."""


def bar(what: str, figure: str, wanted: str, *, met: bool) -> None:
    """Print one line: what was measured, the figure, the bar, and 'met' or 'NOT MET'."""
    print(f"bar: {what:<66} {figure:>14}   wanted {wanted:<18} {'met' if met else 'NOT MET'}")
