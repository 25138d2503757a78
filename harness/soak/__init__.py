"""A soak of the service: reads and writes at due times for minutes, each answer checked, and a verdict on each promise.

`load` is what is asked and checked, `sending` sends it for `locustfile.py`, `judging` says what comes of it. `service`
starts a service of our own, `afterwards` looks for what was written, `running` does all of it. Nothing here imports
Locust, and nothing but `locustfile.py` imports `sending`: gevent changes how a whole process waits.
"""
