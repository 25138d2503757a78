"""From the cells of a run to its decision: requirements, ranking, verdict. Pure."""
