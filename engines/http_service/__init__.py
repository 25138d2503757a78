"""The reference service as an engine: a service of its own as a child process, and an adapter that asks it over HTTP.

`adapter` follows the protocol; `params` name the engine behind the service, `settings` are what the service is started
with, `process` starts and ends it, `documents` and `filters` put listings, questions and answers into its JSON.
"""
