"""What a decision asks of a setting: needs and requirements, and whether the groups of its cells meet them. Pure."""
