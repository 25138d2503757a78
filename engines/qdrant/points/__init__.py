"""Points of a collection, written and searched over gRPC or REST, and what of a payload survives."""
