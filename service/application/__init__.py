"""The whole service: what is served is worked out, opened, filled and started, and stopped again in order.

`planning` works out what is going to be served, `users` are those known by id, `opening` puts the parts together,
`listening` answers requests in one process or several; `ingesting` takes files into the catalogue alone. Whatever is
wrong is a ConfigurationError before anybody is answered.
"""
