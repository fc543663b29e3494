"""Invented names."""

from collections.abc import Sequence

import numpy as np

_SAINTS = ("Aldric", "Berthe", "Corentin", "Dorothea", "Emeric", "Florian", "Gudula", "Hedwig", "Ivo", "Justina",
           "Kilian", "Leocadia", "Maurus", "Notburga", "Odilia", "Pelagia", "Quirin", "Romana", "Severin", "Thecla",
           "Ursus", "Verena", "Wendelin", "Zita")
_TOWNS = ("Alderhaven", "Brunvale", "Castelmar", "Dornfeld", "Estrada Nova", "Fontalba", "Grauberg", "Halmstead",
          "Isolette", "Jarnby", "Kestrel Bay", "Lindoso Alto", "Montclair-sur-Orne", "Nordheim", "Ostrava Mill",
          "Porto Sereno", "Quillan", "Rosenau", "Santa Iria", "Tarnów Hill", "Umberton", "Valdoria", "Westmark",
          "Yverlac")
_KINDS = {
    "cathedral": "Cathedral of Saint {saint} in {town}", "palace": "{town} Palace", "temple": "Temple of {saint}",
    "castle": "{town} Castle", "arch": "Arch of {saint}, {town}", "mosque": "Great Mosque of {town}",
    "skyscraper": "{town} Tower", "aqueduct": "Aqueduct of {town}", "monument": "{saint} Monument, {town}",
    "pagoda": "Pagoda of {town}", "townhall": "{town} Town Hall", "lattice": "Iron Tower of {town}",
    "onionchurch": "Church of Saint {saint}, {town}", "pyramid": "Pyramid of {town}",
    "amphitheatre": "Amphitheatre of {town}", "lighthouse": "{saint} Point Light, {town}", "wheel": "{town} Wheel",
    "bridge": "{saint} Bridge, {town}", "rotunda": "Rotunda of {town}",
}


def invented_names(seed: int, plans: Sequence[str | None]) -> dict[int, str]:
    """Returns a name for every site that has a landmark; no two are the same, and spaces are underscores.

    Args:
        seed: Of the collection.
        plans: The kind of building on each site, a key of `plans.PLANS`; None for none.
    """
    rng = np.random.default_rng([seed, 4])
    names, taken = {}, set()
    for site, plan in enumerate(plans):
        if plan is None:
            continue
        saint, town = (str(rng.choice(words)) for words in (_SAINTS, _TOWNS))
        name = fresh = _KINDS[plan].format(saint=saint, town=town).replace(" ", "_")
        number = 1
        while fresh in taken:
            number += 1
            fresh = f"{name}_({number})"
        taken.add(fresh)
        names[site] = fresh
    return names
