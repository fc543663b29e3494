"""Package exports that are imported on first use (PEP 562)."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def attach(package: str, exports: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Returns `__getattr__`, `__dir__` and `__all__` for a package whose exports load on first use.

    In the package's `__init__.py`, so that `import landmark_zoo.layers` stays free of TensorFlow:

        __getattr__, __dir__, __all__ = attach(__name__, {"SE": "landmark_zoo.layers.attention.se"})

    Args:
        package: `__name__` of the package.
        exports: Each public name, and the module that defines it. A name whose module is `<package>.<name>` stands for
            that module; a function of that name would be hidden by the module as soon as anything imports it.
    """
    def get_attribute(name: str) -> Any:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(exports[name])
        value = module if exports[name] == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted(sys.modules[package].__all__)

    return get_attribute, names, sorted(exports)
