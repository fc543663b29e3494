"""Work whose memory goes back to the system when it is done."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from landmark_zoo.core.errors import UserError


def in_child_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a new process and returns what it returns; what it raises is raised here.

    For rewriting large graphs: TensorFlow keeps functions for the life of a process, and freed memory in pieces.

    Args:
        function: Defined at the top of a module.
        *arguments: Such as pickle can carry, as the result.

    Raises:
        UserError: The process was killed, most likely for want of memory.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise UserError(f"{function.__name__} to end", "a process that was killed",
                            "Look for a lack of memory, and free some.") from error
