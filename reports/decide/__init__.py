"""From the cells of a run to its decision: needs, requirements, ranking, verdict. Pure."""
