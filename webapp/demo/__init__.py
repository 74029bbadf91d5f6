"""A lively sample programme, built through the same services as everything else."""
