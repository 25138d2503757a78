"""The queries of a cell, each with its filter, and which of them are for what."""
