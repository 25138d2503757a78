"""Child processes: how they are started, told of an interruption, and ended."""
