"""Sections of the page on a data set that show images: near-duplicates, label noise, colours, examples."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np
from absl import logging
from PIL import Image

from landmark_zoo.data.analysis.collection import Collection
from landmark_zoo.data.analysis.findings import Findings
from landmark_zoo.data.analysis.label_noise import NEIGHBORS, JudgedImages
from landmark_zoo.data.analysis.measures import is_gray, is_near_gray, read_small
from landmark_zoo.data.analysis.near_duplicates import RADIUS, Pairs, duplicate_groups
from landmark_zoo.data.datasets.images import InvalidImageError
from landmark_zoo.report.html import Html, counted, jpeg_source, readable_name, share, table

SIDE = 128
MAX_BYTES = 5_500


def image_sheet(collection: Collection, captioned: Iterable[tuple[int, str]]) -> Html:
    """Returns a grid of images.

    Args:
        collection: Collection of the images.
        captioned: Number of each image and the text below it.
    """
    cells = "".join(f"<figure>{image_tile(collection, number)}<figcaption>{escape(caption)}</figcaption></figure>"
                    for number, caption in captioned)
    return Html(f'<div class="sheet">{cells}</div>' if cells else "")


def image_groups(collection: Collection, groups: Iterable[tuple[Sequence[int], str]]) -> Html:
    """Returns a grid of images that belong together, side by side.

    Args:
        collection: Collection of the images.
        groups: Numbers of the images of each group and the text below them.
    """
    blocks = "".join(f'<figure><div class="row">{"".join(image_tile(collection, number) for number in numbers)}</div>'
                     f"<figcaption>{escape(caption)}</figcaption></figure>" for numbers, caption in groups)
    return Html(f'<div class="groups">{blocks}</div>' if blocks else "")


def image_tile(collection: Collection, number: int) -> str:
    """Returns an `<img>` of an image, upright, whose title is its id; where it cannot be read, a field with the id."""
    name = escape(collection.id(number))
    try:
        small = Image.fromarray(read_small(collection.read(number)).pixels)
    except InvalidImageError as error:
        logging.warning("No picture of %s: %s", collection.id(number), error)
        return f'<span class="missing" role="img" aria-label="{name}, picture missing">{name}</span>'
    return f'<img src="{jpeg_source(small, SIDE, MAX_BYTES)}" alt="{name}" title="{name}" loading="lazy">'


SHOWN = 12
IN_A_ROW = 4


def duplicates(findings: Findings) -> Html:
    """Returns the section on near-duplicates within and between parts, with the most alike of both."""
    collection, pairs = findings.collection, findings.pairs
    if not len(pairs.first):
        return Html("<p>No two pictures are nearly the same.</p>")
    parts = np.stack([collection.part_of[pairs.first], collection.part_of[pairs.second]])
    inside = parts[0] == parts[1]
    text = f"Two pictures count as nearly the same where at most {RADIUS} of the 64 bits of their perceptual hashes differ."
    between = _between(findings, _chosen(pairs, ~inside), parts[:, ~inside])
    return Html(f'<p class="hint">{text} 0 bits: the same picture, perhaps saved anew. 2 to 4: with a mark, a frame or '
                "other colours. 6 and 8: sometimes another photograph from the same spot.</p>"
                f"{between}{_within(findings, _chosen(pairs, inside))}")


def _between(findings: Findings, pairs: Pairs, parts: np.ndarray) -> str:
    names = [part.images.name for part in findings.collection.parts]
    if len(names) == 1:
        return ""
    if not len(pairs.first):
        return "<h3>Between parts</h3><p>No picture of one part is nearly the same as one of another.</p>"
    counts = Counter(map(tuple, parts.T.tolist()))
    rows = [(f"{names[one]} and {names[other]}", f"{number:,}",
             *(f"{_images(findings, pairs[side][(parts[0] == one) & (parts[1] == other)], part):,}"
               for side, part in enumerate((one, other)))) for (one, other), number in sorted(counts.items())]
    some = np.concatenate([np.flatnonzero(pairs.bits == 0)[:SHOWN // 2], np.flatnonzero(pairs.bits)])[:SHOWN]
    shown = [([int(one), int(other)], f"{findings.collection.name(one)} and {findings.collection.name(other)}, {bits} bits")
             for one, other, bits in zip(*(column[some] for column in pairs), strict=True)]
    number = f"{counted(len(pairs.first), 'pair').capitalize()} {'lies' if len(pairs.first) == 1 else 'lie'} in two parts."
    return ("<h3>Between parts</h3><p>A picture that is trained on and asked for makes a model look better than it is. "
            f"{number}</p>"
            f"{table(['Parts', 'Pairs', 'Pictures of the one', 'of the other'], rows)}"
            f"{image_groups(findings.collection, shown)}")


def _within(findings: Findings, pairs: Pairs) -> str:
    collection = findings.collection
    groups = duplicate_groups(pairs, len(collection))
    if not groups:
        return "<h3>Within a part</h3><p>No picture is nearly the same as another one of its part.</p>"
    mixed = sum(len({collection.landmark(number) for number in group}) > 1 for group in groups)
    size = f", the largest of {len(groups[0])}" if len(groups[0]) > 2 else " of two"
    across = f"{counted(mixed, 'group').capitalize()} {'goes' if mixed == 1 else 'go'} across landmarks"
    text = (f"{counted(sum(map(len, groups)), 'picture').capitalize()} form {counted(len(groups), 'group')}{size}. "
            f"{across}{': one picture with two labels' if mixed else ''}.")
    nearest = dict(zip(pairs.first[::-1].tolist(), pairs.bits[::-1].tolist(), strict=True))  # the smallest stays
    fewest = [min(nearest[number] for number in group.tolist() if number in nearest) for group in groups]
    order = sorted(range(len(groups)), key=lambda place: (fewest[place], -len(groups[place])))[:SHOWN]
    shown = [(groups[place][:IN_A_ROW].tolist(), _caption(collection, groups[place], fewest[place])) for place in order]
    return f"<h3>Within a part</h3><p>{text}</p>{image_groups(collection, shown)}"


def _caption(collection: Collection, group: np.ndarray, bits: int) -> str:
    names = list(dict.fromkeys(collection.landmark(number) or collection.name(number) for number in group))
    more = f", {len(group)} pictures" if len(group) > IN_A_ROW else ""
    return f"{' and '.join(map(readable_name, names[:2]))}{' …' if len(names) > 2 else ''}{more}, {bits} bits"


def _chosen(pairs: Pairs, mask: np.ndarray) -> Pairs:
    return Pairs(*(column[mask] for column in pairs))


def _images(findings: Findings, numbers: np.ndarray, part: int) -> int:
    """Returns how many pictures of a part are these or have the same hash: only one of those is in the pairs."""
    table, part_of = findings.collection.table, findings.collection.part_of
    return int((np.isin(table["hash"], table["hash"][numbers]) & (part_of == part) & table["readable"]).sum())


STRANGEST = 54
DISPUTED = 27
CLEAR = 0.9


def noise(findings: Findings) -> Html:
    """Shows the images that are least like their own landmark and those that look like another one."""
    judged = findings.judged
    if judged is None:
        return Html("<p>Not looked at: that needs <code>--savedmodel</code> or <code>--embeddings</code>.</p>")
    alone = int(np.isnan(judged.noise.strangeness).sum())
    left_out = f" {counted(alone, 'photograph').capitalize()} could not be judged, alone of a landmark." if alone else ""
    return Html(f'<p class="hint">Each photograph was compared by its embedding with all others of the '
                f"{len(findings.balance.counts):,} landmarks. A high place is a doubt, not a verdict: it says what to look "
                f"at first.{left_out}</p>{_strange(findings, judged)}{_disputed(findings, judged)}")


def _strange(findings: Findings, judged: JudgedImages) -> str:
    return ("<h3>Least like their own landmark</h3><p>What is no ordinary photograph of the landmark comes first: clip-art, "
            "maps, models, collages, but also sunsets, close-ups and views from inside. Below stands the mean similarity to "
            f"the {NEIGHBORS} photographs of the same landmark that are most like it.</p>"
            f"{_sheet(findings, judged, judged.strangest()[:STRANGEST], _own)}")


def _disputed(findings: Findings, judged: JudgedImages) -> str:
    clear = int((judged.noise.disagreement >= CLEAR).sum())
    return (f"<h3>More like another landmark</h3><p>{counted(clear, 'photograph').capitalize()} "
            f"({share(clear, len(judged.numbers))}): of the {NEIGHBORS} photographs most like it, "
            f"{CLEAR * NEIGHBORS:.0f} or more show other landmarks. Wrong labels, or landmarks that look alike. Below "
            "stands the landmark that most of those show.</p>"
            f"{_sheet(findings, judged, judged.most_disputed()[:DISPUTED], _other)}")


def _sheet(findings: Findings, judged: JudgedImages, places: np.ndarray,
           words: Callable[[JudgedImages, int], str]) -> Html:
    collection, numbers = findings.collection, judged.numbers
    return image_sheet(collection, (
        (int(numbers[place]), readable_name(collection.landmark(numbers[place])) + words(judged, place))
        for place in places))


def _own(judged: JudgedImages, place: int) -> str:
    return f", {1 - judged.noise.strangeness[place]:.2f}"


def _other(judged: JudgedImages, place: int) -> str:
    return f" → {readable_name(judged.landmarks[judged.noise.likelier[place]])}"


LANDMARKS = 48
IMAGES = 6


def examples(findings: Findings, random: np.random.Generator) -> Html:
    """Shows `IMAGES` images of each landmark, or of `LANDMARKS` of them where there are more.

    Args:
        findings: Findings on the collection.
        random: Chooses images and landmarks.
    """
    collection, names = findings.collection, findings.balance.landmarks
    if not names:
        return Html("")
    chosen = sorted(random.choice(len(names), min(LANDMARKS, len(names)), replace=False).tolist())
    numbers: dict[str, list[int]] = {names[place]: [] for place in chosen}
    for number in range(collection.data_size):
        landmark = collection.landmark(number)
        if landmark in numbers and collection.readable[number]:
            numbers[landmark].append(number)
    groups = [(np.sort(random.choice(found, min(IMAGES, len(found)), replace=False)).tolist(),
               f"{readable_name(landmark)}, {counted(len(found), 'photograph')}")
              for landmark, found in numbers.items() if found]
    which = "each landmark" if len(chosen) == len(names) else f"{len(chosen)} of {len(names):,} landmarks, drawn at random"
    return Html(f'<p class="hint">Up to {IMAGES} photographs of {which}.</p>'
                f'<div class="examples">{image_groups(collection, groups)}</div>')


COLORS_SHOWN = 18


def colors(findings: Findings, random: np.random.Generator) -> Html:
    """Returns the section on images of the data that are grey or almost grey, with some of both.

    Args:
        findings: Findings on the collection.
        random: Chooses where there are more than `COLORS_SHOWN`.
    """
    collection = findings.collection
    table = collection.table[:collection.data_size]
    strongest, spread = table["strongest_colour"], table["colour_spread"]
    gray = np.flatnonzero(table["readable"] & is_gray(strongest))
    tinted = np.flatnonzero(table["readable"] & is_near_gray(strongest, spread))
    total = int(table["readable"].sum())
    text = (f"{counted(len(gray), 'photograph').capitalize()} of {total:,} ({share(len(gray), total)}) "
            f"{'is' if len(gray) == 1 else 'are'} grey, {len(tinted):,} more ({share(len(tinted), total)}) almost so: "
            "sepia, faded, one tint all over, or line drawings with a coloured mark.")
    return Html(f"<p>{text}</p>{_gray_sheet('Grey', findings, gray, random)}"
                f"{_gray_sheet('Almost grey', findings, tinted, random)}")


def _gray_sheet(title: str, findings: Findings, numbers: np.ndarray, random: np.random.Generator) -> str:
    if not len(numbers):
        return ""
    some = np.sort(random.choice(numbers, min(COLORS_SHOWN, len(numbers)), replace=False))
    captioned = [(number, readable_name(findings.collection.landmark(number))) for number in some]
    more = f" ({COLORS_SHOWN} of {len(numbers):,}, at random)" if len(numbers) > COLORS_SHOWN else ""
    return f"<h3>{title}{more}</h3>{image_sheet(findings.collection, captioned)}"
