"""One SavedModel out of several: python -m export.ensemble --members=a,b,c --output=DIR

Every picture is decoded once and goes through all members; their embeddings are concatenated so that the dot product is the
weighted mean of the members' cosines.
"""

from absl import flags

from export.options.card import CardOptions
from export.options.whitening import WhiteningOptions
from export.options.write_export import write_export
from landmark_zoo.core.dataclass_flags import define_flags, from_flags
from landmark_zoo.core.errors import UserError
from landmark_zoo.core.provenance import git_commit
from landmark_zoo.core.script import run
from landmark_zoo.serving.embedders.ensemble import Ensemble
from landmark_zoo.serving.member import Member

define_flags(WhiteningOptions)
define_flags(CardOptions)
_MEMBERS = flags.DEFINE_list("members", None, "Exported models: <name>, or <name>/<version>.", required=True)
_WEIGHTS = flags.DEFINE_list("weights", None, "How much each member's cosine counts; unset: equally.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder <name>; the model goes to <name>/<next version>.", required=True)


def main(_):
    """Loads the members, writes."""
    whitening, card, weights = from_flags(WhiteningOptions), from_flags(CardOptions), _weights()
    members = [Member(path) for path in _MEMBERS.value]
    embedder = Ensemble(members, weights)
    data = {member.path.parent.name: member.facts.get("training_data", "not stated") for member in members}
    recipe = {member.path.parent.name: member.card.get("recipe", "not stated") for member in members}
    print(write_export(embedder, _OUTPUT.value, {"git_commit": git_commit()}, whitening, card, data, recipe))


def _weights() -> list[float] | None:
    try:
        return [float(weight) for weight in _WEIGHTS.value] if _WEIGHTS.value else None
    except ValueError as error:
        raise UserError("numbers for --weights", str(error), "Write for example --weights=2,1,1.") from error


if __name__ == "__main__":
    run(main)
