"""From a request to an answer in three stages: retrieve, re-rank, rules.

`retrieval` is the door, in asyncio; behind it `pipeline` runs the stages in a thread. It takes candidates from a
source (`sources`: an engine by vectors, words, both fused, or what is popular), looks each up in `stock`, which holds
what the truth says of every listing on sale, ranks them anew (`reranking`), drops what must not be shown (`rules`), and
where a filter leaves too few widens it step by step (`relaxing`). `following` keeps `stock` and `words` in step with
the store's outbox. Of engines it knows the protocol, of the truth that of its store.
"""
