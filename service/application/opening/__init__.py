"""A plan as a service that can be asked.

`parts` opens and closes all of it: `catalogue` the listings, which `loading` begins with those of a data set, `index`
an index of its own or a shared one, `topic` what comes from Kafka. `served` is the index as routes see it, `about` what
is told of the service, `observing` what is observed of it.
"""
