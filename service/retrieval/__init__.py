"""From a request to an answer in three stages: retrieve, re-rank, rules.

`retrieval` is the door, in asyncio; behind it `pipeline` runs the stages in a thread. It takes candidates from a
source (`sources`: an engine by vectors, words, both fused, or what is popular), looks each up in what `service.memory`
holds of the truth, ranks them anew (`reranking`), drops what must not be shown (`rules`), and where a filter leaves too
few widens it step by step (`relaxing`). Of engines it knows the protocol, of the truth that of its store.
"""
