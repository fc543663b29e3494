"""A command's own words, and those that it hands on."""


def divided(argv: list[str]) -> tuple[list[str], list[str]]:
    """Returns what stands before and behind the first "--"."""
    cut = argv.index("--") if "--" in argv else len(argv)
    return argv[:cut], argv[cut + 1:]
