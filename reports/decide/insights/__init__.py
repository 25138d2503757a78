"""What lies behind a decision: who wins with each filter, and what would make another engine lead. Pure."""
