"""The tables of the page: who meets the requirements, what post-filtering costs, every cell."""
