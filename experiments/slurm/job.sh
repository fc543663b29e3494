# Read by the jobs beside it: the site's settings, the environment, and how a step ends.
# shellcheck shell=bash

set -euo pipefail

fail() {  # fail EXPECTED RECEIVED REMEDY
  echo "Error: Expected $1; received $2. $3" >&2
  exit 2
}

source experiments/slurm/site.sh

if [ -n "$LANDMARK_ZOO_MODULES" ]; then
  type module >/dev/null 2>&1 || fail "the command module for LANDMARK_ZOO_MODULES" "none" "Unset it in site.sh."
  # shellcheck disable=SC2086  # several names
  module load $LANDMARK_ZOO_MODULES || fail "modules that load" "$LANDMARK_ZOO_MODULES" "Mend LANDMARK_ZOO_MODULES in site.sh."
fi

inside=()
if [ -n "$LANDMARK_ZOO_CONTAINER" ]; then
  [ -e "$LANDMARK_ZOO_CONTAINER" ] || fail "a container at $LANDMARK_ZOO_CONTAINER" "none" \
    "Build it with: apptainer build $LANDMARK_ZOO_CONTAINER experiments/slurm/landmark_zoo.def"
  inside=(apptainer exec --nv --bind "$PWD,$LANDMARK_ZOO_SCRATCH${LANDMARK_ZOO_BINDS:+,$LANDMARK_ZOO_BINDS}" --pwd "$PWD"
          "$LANDMARK_ZOO_CONTAINER")
else
  [ -e "$LANDMARK_ZOO_VENV/bin/activate" ] || fail "a virtual environment at $LANDMARK_ZOO_VENV" "none" \
    "Make it with \`make setup\`, or set LANDMARK_ZOO_VENV or LANDMARK_ZOO_CONTAINER in site.sh."
  # shellcheck source=/dev/null
  source "$LANDMARK_ZOO_VENV/bin/activate"
fi

mkdir -p "$LANDMARK_ZOO_SCRATCH" || fail "a folder LANDMARK_ZOO_SCRATCH" "$LANDMARK_ZOO_SCRATCH" "Mend it in site.sh."
export TMPDIR="$LANDMARK_ZOO_SCRATCH" CUDA_CACHE_PATH="$LANDMARK_ZOO_SCRATCH/cuda" CUDA_CACHE_MAXSIZE=2147483648
export TF_FORCE_GPU_ALLOW_GROWTH=true PYTHONUNBUFFERED=1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY   # gRPC between the ranks would go through them and hang
if [ -n "${SLURM_CPUS_PER_TASK-}" ]; then
  export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"    # srun does not take it from sbatch any more since SLURM 22.05
fi

# step MODULE FLAG...: runs it in every task of the job. SLURM sends the signals of --signal, of `scancel` and of preemption
# to these processes, so that none need be handed on. Exit code 42 says "saved, not done": the job is put back into the queue
# under its own number and goes on in its workdir. When one task ends, the others have 45 seconds to do so themselves;
# --kill-on-bad-exit would cancel the step as soon as the first of them leaves with 42.
step() {
  local code=0
  srun --kill-on-bad-exit=0 --wait=45 "${inside[@]}" python -m "$@" || code=$?
  if [ "$code" -eq 42 ]; then
    scontrol requeue "$SLURM_JOB_ID" || echo "Error: Expected a job that may be requeued; received the refusal above." \
      "Submit the same command again: it continues where it was." >&2
  fi
  return "$code"
}
