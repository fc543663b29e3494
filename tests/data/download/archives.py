"""Small archives in the exact layout of the public ones."""

import gzip
import hashlib
import io
import tarfile

from PIL import Image


def tar_bytes(files, gzipped=False):
    """files: path to bytes, or a ready TarInfo to None."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            if isinstance(name, tarfile.TarInfo):
                tar.addfile(name, io.BytesIO(data) if data is not None else None)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0) if gzipped else buffer.getvalue()


def picture_bytes(number, side=48):
    """A JPEG of its own for each number."""
    image = Image.new("RGB", (4, 3))
    image.putdata([(number * 37 + place * 53 & 255, number * 91 + place * 17 & 255, place * 20) for place in range(12)])
    buffer = io.BytesIO()
    image.resize((side + 16, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def gldv2_site(train_archives=4, images=24, landmarks=5):
    """Path to bytes of everything that GLDv2's server has, in small; and id to landmark of the training pictures."""
    site, shows, rows = {}, {}, []
    archives = [{} for _ in range(train_archives)]
    for number in range(images):
        image_id = hashlib.md5(str(number).encode()).hexdigest()[:16]
        shows[image_id] = str(100 * (number % landmarks))
        rows.append(f"{image_id},http://upload.example/{number}.jpg,{shows[image_id]}\n")
        archives[number % train_archives]["/".join((*image_id[:3], f"{image_id}.jpg"))] = picture_bytes(number)
    _put(site, "train", archives)
    base = "/google-landmark/metadata/"
    site[base + "train.csv"] = ("id,url,landmark_id\n" + "".join(rows)).encode()
    clean = "".join(f"{landmark},{' '.join(one for one, other in shows.items() if other == landmark)}\n"
                    for landmark in sorted(set(shows.values()))[:landmarks - 1])
    site[base + "train_clean.csv"] = ("landmark_id,images\n" + clean).encode()
    for name in ("train_attribution.csv", "train_label_to_category.csv", "train_label_to_hierarchical.csv"):
        site[base + name] = b"landmark_id,category\n"
    return site, shows


def gldv2_benchmark_site(index=6, queries=2):
    """The same for index and queries."""
    site, ids = {}, {"index": [], "test": []}
    for part, count in (("index", index), ("test", queries)):
        archives = [{}, {}]
        for number in range(count):
            image_id = hashlib.md5(f"{part}{number}".encode()).hexdigest()[:16]
            ids[part].append(image_id)
            archives[number % 2]["/".join((*image_id[:3], f"{image_id}.jpg"))] = picture_bytes(100 + number)
        _put(site, part, archives)
        site[f"/google-landmark/metadata/{part}.csv"] = "\n".join(["id", *ids[part], ""]).encode()
    for name in ("index_image_to_landmark.csv", "index_label_to_category.csv", "index_label_to_hierarchical.csv"):
        site[f"/google-landmark/metadata/{name}"] = b"landmark_id\n"
    truth = "/google-landmark/ground_truth/"
    site[truth + "recognition_solution_v2.1.csv"] = b"id,landmarks,Usage\n"
    site[truth + "retrieval_solution_v2.1.csv"] = (
        f"id,images,Usage\n{ids['test'][0]},{' '.join(ids['index'][:3])},Public\n{ids['test'][1]},None,Ignored\n").encode()
    return site, ids


def _put(site, part, archives):
    for number, files in enumerate(archives):
        data = tar_bytes(files)
        site[f"/google-landmark/{part}/images_{number:03d}.tar"] = data
        site[f"/google-landmark/md5sum/{part}/md5.images_{number:03d}.txt"] = (
            f"{hashlib.md5(data).hexdigest()}  images_{number:03d}.tar\n".encode())
