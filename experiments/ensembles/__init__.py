"""Parts of experiments.leave_one_out."""
