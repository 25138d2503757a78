"""How good recommendations are: figures, baselines, and intervals of their differences."""
