"""Numbers as they stand in a sentence."""


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Returns "no photographs", "1 photograph" or "2,345 photographs".

    Args:
        number: How many.
        thing: The word for one.
        things: The word for several; `thing` with an s by default.
    """
    if number == 1:
        return f"1 {thing}"
    return f"{number:,} {things or f'{thing}s'}" if number else f"no {things or f'{thing}s'}"
