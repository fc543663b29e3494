"""Paired comparison of two results: python -m experiments.compare A/metrics.json B/metrics.json

Refuses results whose protocol cards differ, and says where. Fields that differ because they are what is compared, such as
whitening, are named with --allow=whitening,whitening_learnt_on.
"""

import sys
from collections.abc import Sequence

from absl import flags

from landmark_zoo.core.errors import MAX_SEED, printable
from landmark_zoo.core.scripts import run
from landmark_zoo.evaluation.comparison import Comparison, compare_results

_BEFORE = flags.DEFINE_string("before", None, "metrics.json of the first result, or its folder.", required=True)
_AFTER = flags.DEFINE_string("after", None, "metrics.json of the second result, or its folder.", required=True)
_ALLOW = flags.DEFINE_list("allow", [], "Fields of the protocol card that may differ.")
_CHANGED = flags.DEFINE_integer("changed", 5, "Number of most changed queries to print.", lower_bound=0,
                                upper_bound=1_000_000)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the bootstrap.", lower_bound=0, upper_bound=MAX_SEED)


def main(_):
    """Reads, compares, prints."""
    for comparison in compare_results(_BEFORE.value, _AFTER.value, _ALLOW.value, _SEED.value):
        print("\n".join(_lines(comparison, _CHANGED.value)))


def _lines(comparison: Comparison, changed: int) -> list[str]:
    low, value, high = (100 * figure for figure in (comparison.low, comparison.value, comparison.high))
    wins, losses, ties = comparison.wins_losses_ties
    clear = "" if comparison.clear else ", zero is inside"
    head = (f"{comparison.metric}: {value:+.2f} points, 95 % interval [{low:+.2f}, {high:+.2f}]{clear}; "
            f"{len(comparison.queries)} queries: {wins} better, {losses} worse, {ties} equal")
    return [head, *(f"  {printable(query)}: {100 * before:.2f} to {100 * after:.2f}"
                    for query, before, after in comparison.most_changed(changed))]


def with_flags(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments with the first two files as --before and --after."""
    named, names, before = [arguments[0]], iter(("--before=", "--after=")), ""
    for argument in arguments[1:]:
        is_file = not argument.startswith("-") and (not before.startswith("-") or "=" in before)
        named.append(next(names, "") + argument if is_file else argument)
        before = argument
    return named


if __name__ == "__main__":
    sys.argv = with_flags(sys.argv)
    run(main)
