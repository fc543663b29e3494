"""Parts of a whole as they stand in a sentence."""


def share(part: int, whole: int) -> str:
    """Returns a part in percent, never rounded to none or all: "7.2 %", "under 0.1 %", "over 99.9 %"."""
    if not part or part == whole or not whole:
        return "100 %" if part and part == whole else "0 %"
    value = 100 * part / whole
    if value < 0.1:
        return "under 0.1 %"
    return "over 99.9 %" if value > 99.9 else f"{value:.1f} %"
