"""In which country a photograph was taken, where a table says so."""

from pathlib import Path

from landmark_zoo.core.files import read_csv


def read_countries(data: str | Path) -> dict[str, str]:
    """Returns id or landmark to country, as far as a table names countries.

    A csv file of photographs names them in a column `country`. Beside the lists of a folder, every csv file with columns
    `landmark_id` and `country` counts (Google Landmarks v2 itself names none).

    Args:
        data: The csv file, or the folder.

    Returns:
        Picture's id (of a csv file) or landmark (of a folder) to country; empty where no table names any.
    """
    data = Path(data)
    if data.is_file():
        return _column(data, "id")
    return {key: country for path in sorted(data.glob("*.csv")) for key, country in _column(path, "landmark_id").items()}


def _column(path: Path, key: str) -> dict[str, str]:
    with open(path, encoding="utf-8-sig") as file:
        header = {name.strip().strip('"') for name in file.readline().split(",")}
    if not {key, "country"} <= header:
        return {}
    return {row[key]: row["country"].strip() for row in read_csv(path, [key, "country"]) if row["country"].strip()}
