"""From the cells of a run to its decision. Pure.

`cells`, in `groups` of trials, meet what is asked of them or do not (`checks`); settings are compared (`comparing`);
both are the `evidence` that the `conclusion` is drawn from. `insights` tell who wins with each filter and what would
make another engine lead; the `decision` is all of it in words. `added`, what one setting adds to the latency of
another, is no part of it: the page shows it.
"""
