"""The service over HTTP: addresses, what they take and give, keys and limits.

`http` is what every route needs of HTTP, `routes` answer requests on the `parts` of the service. `operations` lists
the addresses, `openapi` and `docs` describe them, `schemas` what their bodies are, `app` puts them together; `shedding`
turns away what there is no place for. Calls that block run in threads, never on the event loop.
"""
