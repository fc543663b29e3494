"""Names of landmarks as people read them."""


def readable_name(landmark: str) -> str:
    """Returns the last part of a folder's name with spaces: "wonders/taj_mahal" is "taj mahal"."""
    return landmark.rstrip("/").rsplit("/", 1)[-1].replace("_", " ") or landmark
