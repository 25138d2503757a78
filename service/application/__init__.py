"""The whole service: what is served is worked out, opened, filled and started, and stopped again in order.

`catalogue` says what listings consist of and `loading` fills an empty catalogue, `users` are those known by id,
`observing` watches what is served, `assembly` puts the parts together, `index` starts one of its own or a shared one;
`serving` listens by a `protocol` that turns requests away early and is `guarding` itself against clients that send
without end or not at all; `workers` has several processes do so; `ingesting` takes files into the catalogue alone.
Whatever is wrong is a ConfigurationError before anybody is answered.
"""
