"""Exports an ensemble as one SavedModel: python -m export.ensemble --members=a,b,c --output=DIR

Every image is decoded once and goes through all members; their embeddings are concatenated so that the dot product is the
weighted mean of the members' cosines.
"""

from absl import flags

from export.options import CardOptions, WhiteningOptions, write_export
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.scripts import define_flags, define_output, from_flags, run
from landmark_zoo.saved_model import SavedModel
from landmark_zoo.serving.ensemble import Ensemble, member_factors

define_flags(WhiteningOptions)
define_flags(CardOptions)
_MEMBERS = flags.DEFINE_list("members", None, "Exported models: <name>, or <name>/<version>.", required=True)
_WEIGHTS = flags.DEFINE_list("weights", None, "Weight of each member's cosine; unset: equal weights.")
_OUTPUT = define_output("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)


def main(_):
    """Loads the members, writes."""
    whitening, card, weights = from_flags(WhiteningOptions), from_flags(CardOptions), _weights()
    member_factors(weights, len(_MEMBERS.value))
    members = [SavedModel(path) for path in _MEMBERS.value]
    embedder = Ensemble(members, weights)
    data = {member.path.parent.name: member.info.get("training_data", "not stated") for member in members}
    recipe = {member.path.parent.name: member.card.get("recipe", "not stated") for member in members}
    print(write_export(embedder, _OUTPUT.value, {"git_commit": git_commit()}, whitening, card, data, recipe))


def _weights() -> list[float] | None:
    try:
        return [float(weight) for weight in _WEIGHTS.value] if _WEIGHTS.value else None
    except ValueError as error:
        raise UserError("numbers for --weights", str(error), "Write for example --weights=2,1,1.") from error


if __name__ == "__main__":
    run(main)
