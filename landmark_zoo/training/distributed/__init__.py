"""Training on several machines: who the workers are, how they meet, how they end together.

Reading order: `cluster` (workers from Slurm or TF_CONFIG), `rendezvous` (they meet and compare settings before TensorFlow
connects them; `interfaces`: where they listen, `authentication`: how they know each other), `worker_group` (one that fails
or is lost ends all), `strategy` (puts these together for a script), `collectives` (rank and world size, all-gather,
all-reduce), `preemption` (SIGTERM and SIGUSR1), `local_workers` (a rehearsal on one machine).
"""
