"""HTTP: routes, the bodies they take and give, problems (RFC 9457), keys and limits.

`bodies` are the types that JSON is read into and written from, `decoding` reads them and says all that is wrong,
`filters` reads and limits filters, `problems` is what goes wrong as an answer. `parts` names what the routes stand on;
`listings`, `bulk`, `asking` and `operating` are the routes, `openapi` describes them, `app` puts them together. Calls
that block run in threads, never on the event loop.
"""
