"""What follows from the evidence, in words: what blocks a decision, its caveats, headline and figures. Pure."""
