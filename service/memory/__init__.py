"""What is kept in memory of the catalogue's truth, so that an answer need not wait for its database.

`stock` holds what stages, rules and fallback look at, of every listing on sale, and `facets` counts it; `words` ranks
listings by words for engines that cannot; `shelf` keeps listings as they are shown. `following` keeps stock and words
in step with the outbox.
"""
