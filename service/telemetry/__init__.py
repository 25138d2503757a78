"""What can be seen of a running service from outside.

`listed` is the list of all metrics; `meters` keeps their values and writes them for Prometheus, in one process or
several (`processes`). `answers` counts what was answered, `standing` reads queue, breakers and index when it is asked,
`freshness` notes when writes become searchable, `recall` asks some questions again exactly, `requests` is what is told
of single ones. `telemetry` is what the routes tell things to. Nothing below knows of this room:
it reads what retrieval, limits and the index say of themselves.
"""
