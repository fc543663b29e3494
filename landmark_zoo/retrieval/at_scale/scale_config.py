"""How many photographs are embedded."""

from dataclasses import dataclass

from landmark_zoo.core.errors import UserError


@dataclass(frozen=True)
class ScaleConfig:
    """Settings of `embed_at_scale`.

    Attributes:
        batch_size: Photographs of one size per call of the model.
        shard_size: Photographs per file on disk; an interrupted run loses at most the one it was at.
        dtype: Numbers on disk, float32 or float16; the latter takes half the room and moves cosines by less than 0.001.
        apply_exif: Turn photographs as their EXIF orientation says.
        strict: Stop at the first bad photograph instead of skipping it.
        num_shards: Processes that share the work, as in a SLURM job array; all get the same --output.
        shard: Which of them this one is, from 0; in a job array $SLURM_ARRAY_TASK_ID.

    Raises:
        UserError: A number or a dtype that is none of these.
    """

    batch_size: int = 32
    shard_size: int = 1024
    dtype: str = "float32"
    apply_exif: bool = True
    strict: bool = False
    num_shards: int = 1
    shard: int = 0

    def __post_init__(self):
        if not 0 <= self.shard < self.num_shards:
            raise UserError(f"a shard from 0 to {self.num_shards - 1}", str(self.shard), "Check --shard and --num_shards.")
        if self.dtype not in ("float32", "float16"):
            raise UserError("the dtype float32 or float16", self.dtype, "Check --dtype.")
        for name in ("batch_size", "shard_size"):
            if getattr(self, name) < 1:
                raise UserError(f"a {name} of 1 or more", str(getattr(self, name)), f"Check --{name}.")
