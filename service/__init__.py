"""The reference retrieval service: what a team runs on the engine that the benchmark picked.

`catalogue` is the source of truth; `writing` makes changes of documents, and `ingestion` takes many of them from
outside; `indexing` keeps an engine's collection a projection of the truth; `limits` decides what is still taken under
load; `retrieval` answers in stages; `settings` reads how it is to run; `api` speaks HTTP, and `page` is the web page
that asks it; `application` puts them together. Imports engines, encoders and what the harness offers about data; never
prints.
"""
