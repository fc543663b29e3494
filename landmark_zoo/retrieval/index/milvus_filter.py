"""Filters in the language of Milvus."""

import json
from collections.abc import Iterable, Mapping, Sequence


def milvus_filter(where: Mapping[str, Sequence[str]]) -> str:
    """Returns e.g. `landmark in ["4", "17"] and source in ["index"]`; "" for no filter."""
    return " and ".join(milvus_any(name, texts) for name, texts in where.items())


def milvus_any(name: str, texts: Iterable[str]) -> str:
    """Returns e.g. `id in ["a", "b"]`, with quotes and backslashes escaped."""
    return f"{name} in {json.dumps(list(texts), ensure_ascii=False)}"
