"""What each member brings to an ensemble, and what it costs.

    python -m experiments.leave_one_out --members=a,b,c --benchmark=DIR --photos=DIR --output=DIR

Every member embeds the benchmark once; an interrupted run goes on there. All members together, without each in turn, and
each alone are then measured on the concatenated embeddings, without PCA.
"""

from pathlib import Path

from absl import flags

from experiments.ensembles.aligned_text import aligned_text
from experiments.ensembles.combinations import combinations
from experiments.ensembles.concatenated import concatenated
from experiments.ensembles.ensemble_row import HEADER, EnsembleRow
from experiments.ensembles.member_costs import megabytes, milliseconds
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.files import write_csv, write_json
from landmark_zoo.core.provenance import resolved_flags
from landmark_zoo.core.script import run
from landmark_zoo.data.locator import ImageLocator
from landmark_zoo.evaluation.benchmark_pictures import benchmark_pictures
from landmark_zoo.evaluation.embedded_answers import embedded_answers
from landmark_zoo.evaluation.gldv2 import Gldv2Benchmark
from landmark_zoo.evaluation.measure import measure
from landmark_zoo.evaluation.read_benchmark import read_benchmark
from landmark_zoo.retrieval.embed import embed
from landmark_zoo.retrieval.saved_model import EmbeddingModel
from landmark_zoo.serving.member_factors import member_factors

_MEMBERS = flags.DEFINE_list("members", None, "Exported models: <name>, or <name>/<version>.", required=True)
_WEIGHTS = flags.DEFINE_list("weights", None, "How much each member's cosine counts; unset: equally.")
_BENCHMARK = flags.DEFINE_string("benchmark", None, "Folder with GLDv2's csv files, or with gnd_*.json.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of the benchmark's photographs; by default --benchmark.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder for embeddings and leave_one_out.csv.", required=True)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Photographs per call of a member.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Of the bootstrap of the intervals.")


def main(_):
    """Embeds, combines, measures, prints."""
    output, benchmark = Path(_OUTPUT.value), read_benchmark(_BENCHMARK.value)
    gldv2 = isinstance(benchmark, Gldv2Benchmark)
    models = [EmbeddingModel(path) for path in _MEMBERS.value]
    names, weights = _names(models), _weights(len(models))
    parts = benchmark_pictures(benchmark, ImageLocator(_PHOTOS.value or _BENCHMARK.value), crop=True)
    sets = [[embed(model, pictures, output / name / part, batch_size=_BATCH_SIZE.value, apply_exif=gldv2)
             for part, pictures in zip(("queries", "index"), parts, strict=True)]
            for model, name in zip(models, names, strict=True)]
    times, sizes = milliseconds(models, parts[0], apply_exif=gldv2), [megabytes(model.path) for model in models]
    rows = []
    for title, members in combinations(names).items():
        some = [weights[member] for member in members]
        queries, index = (concatenated([sets[member][part] for member in members], some) for part in (0, 1))
        results = measure(benchmark, embedded_answers(benchmark, queries, index), title, _SEED.value)
        rows.append(EnsembleRow(title, results, index.dimension, sum(times[member] for member in members),
                                sum(sizes[member] for member in members)))
    table = [[str(cell) for cell in row.cells(rows[0], _SEED.value)] for row in rows]
    write_csv(output / "leave_one_out.csv", HEADER, table)
    write_json(output / "flags.json", resolved_flags())
    print(aligned_text([HEADER, *table]))


def _names(models: list[EmbeddingModel]) -> list[str]:
    if len(models) < 2 or len({model.fingerprint for model in models}) < len(models):
        raise UserError("two members or more, none twice", ", ".join(_MEMBERS.value), "Check --members.")
    names = [model.path.parent.name for model in models]
    return [f"{name}-{place}" if names.count(name) > 1 else name for place, name in enumerate(names, start=1)]


def _weights(members: int) -> list[float]:
    try:
        weights = [float(weight) for weight in _WEIGHTS.value] if _WEIGHTS.value else [1.0] * members
    except ValueError as error:
        raise UserError("numbers for --weights", str(error), "Write for example --weights=2,1,1.") from error
    member_factors(weights, members)
    return weights


if __name__ == "__main__":
    run(main)
