import collections
import importlib
import sys

import pytest

INIT = """
from landmark_zoo.core.lazy import attach
__getattr__, __dir__, __all__ = attach(__name__, {
    "OrderedDict": "collections", "Answer": "shop.shelf", "shelf": "shop.shelf", "absent": "shop.shelf",
    "lost": "shop.none"})
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(INIT)
    (tmp_path / "shop" / "shelf.py").write_text("class Answer:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield importlib.import_module("shop")
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_nothing_is_imported_before_its_first_use(shop):
    assert "shop.shelf" not in sys.modules
    assert shop.Answer.__module__ == "shop.shelf"
    assert shop.Answer is shop.Answer
    assert "Answer" in vars(shop)


def test_names_of_other_packages_and_modules(shop):
    assert shop.OrderedDict is collections.OrderedDict
    assert shop.shelf is sys.modules["shop.shelf"]


def test_listing(shop):
    assert shop.__all__ == ["Answer", "OrderedDict", "absent", "lost", "shelf"]
    assert dir(shop) == shop.__all__
    shop.__all__ += ["Basket"]
    assert dir(shop)[:2] == ["Answer", "Basket"]


def test_an_unknown_name_is_an_attribute_error(shop):
    with pytest.raises(AttributeError, match=r"^module 'shop' has no attribute 'price'$"):
        _ = shop.price
    assert not hasattr(shop, "price")
    with pytest.raises(ImportError, match="cannot import name 'price'"):
        from shop import price  # noqa: F401


def test_a_wrong_entry_is_not_hidden(shop):
    with pytest.raises(AttributeError, match=r"'shop.shelf' has no attribute 'absent'"):
        _ = shop.absent
    with pytest.raises(ModuleNotFoundError):
        _ = shop.lost
