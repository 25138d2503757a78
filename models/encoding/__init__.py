"""The trained towers in plain NumPy, for indexing and serving: what they compute is written down here once.

A listing: x = row of its id (none for a listing that nobody took) + a row for the word of each category (one for
missing and unknown words too) + numbers and text, each times a matrix; its vector is unit(residual(x)). A user: the
mean m of the vectors of what they took and of what they declare, weighted by softmax(attention . vector +
recency * log(1 + age in days)), or a learned vector where there is neither; theirs is unit(residual(m)).
residual(x) = x + gelu(normalised(x) @ inner + offset) @ outer, where normalised(x) has mean 0 and variance 1, gelu is
its approximation by tanh, and unit(x) has length 1. `models.towers` computes the same in JAX; a test holds them
together within 1e-5. A score is user . listing + weight * popularity.
`model` reads a model's folder, with which `files` lead from Parquet to Parquet.
"""
