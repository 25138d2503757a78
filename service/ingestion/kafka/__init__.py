"""A topic of Kafka as a source, as long as the service runs.

`client` makes a consumer of the settings; `messages` makes records of what it brings; `following` is the loop: fetch,
write, commit, and begin anew where the broker fails; `running` is a thread with that loop.
"""
