"""A soak of the service: reads and writes at due times for minutes, each answer checked, and a verdict on each promise.

`load` is what `locustfile.py` sends and checks, `judging` what comes of it. `service` starts a service of our own,
`afterwards` looks for what was written, `running` does all of it. Nothing here imports Locust, whose processes gevent
changes.
"""
