"""The mix of filters that a decision weighs its figures by: as the scenario names it, or as a log of queries has it."""
