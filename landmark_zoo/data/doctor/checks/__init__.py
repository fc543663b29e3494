"""One kind of fault per file; those in `SHARD_CHECKS` look at one record file at a time."""

from landmark_zoo.data.doctor.checks.checksum import checksum
from landmark_zoo.data.doctor.checks.class_balance import class_balance
from landmark_zoo.data.doctor.checks.count import count
from landmark_zoo.data.doctor.checks.labels import labels
from landmark_zoo.data.doctor.checks.pictures import pictures
from landmark_zoo.data.doctor.checks.readable import readable
from landmark_zoo.data.doctor.checks.sizes import sizes

SHARD_CHECKS = (checksum, readable, count, labels, pictures, sizes, class_balance)
