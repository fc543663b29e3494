# What differs between clusters. Write your values here, or set the variables in the environment, which wins.
#
# It is read twice: by you, `source experiments/slurm/site.sh`, once per shell, for the options that sbatch takes from the
# environment (any SBATCH_* of `man sbatch` will do); and by every job, for the rest.
# shellcheck shell=bash

# export SBATCH_ACCOUNT="${SBATCH_ACCOUNT-my_project}"     # sacctmgr show associations user="$USER" format=account
# export SBATCH_PARTITION="${SBATCH_PARTITION-gpu}"        # sinfo --summarize
# export SBATCH_CONSTRAINT="${SBATCH_CONSTRAINT-a100}"     # one kind of card in a job, never two: sinfo -o "%P %f %G"

# Modules to load, with spaces between: module avail
export LANDMARK_ZOO_MODULES="${LANDMARK_ZOO_MODULES-}"

# Folder of the virtual environment; not used inside a container.
export LANDMARK_ZOO_VENV="${LANDMARK_ZOO_VENV-.venv}"

# A container built from landmark_zoo.def, and the folders besides this one that it shall see, with commas between.
export LANDMARK_ZOO_CONTAINER="${LANDMARK_ZOO_CONTAINER-}"
export LANDMARK_ZOO_BINDS="${LANDMARK_ZOO_BINDS-}"

# The node's own disk, for what need not outlive the job: temporary files, compiled kernels of the cards.
export LANDMARK_ZOO_SCRATCH="${LANDMARK_ZOO_SCRATCH-${TMPDIR:-/tmp}}"

# The network between the nodes, for NCCL: ip -brief link, on a compute node. ib0 where there is InfiniBand.
export NCCL_SOCKET_IFNAME="${NCCL_SOCKET_IFNAME-^lo,docker0}"
