"""Everything that changes data. One function per verb: ``rewards.create(work, command)``."""
