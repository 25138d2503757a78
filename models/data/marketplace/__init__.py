"""A simulated second-hand marketplace: one-of-a-kind listings, users with tastes and sizes, and who took what.

It stands for data on machines that have none, and it knows the truth: how much each user wants each listing. Nothing
here is real, and all that leaves says so. `options` is what may be asked for, `figures` what is measured and what is
assumed, `sizes` who fits into what; `stock` and `shoppers` draw listings and users, `wording` their texts; `utility`
is the model of choice, `visits` its play over time; `market` brings it together and `writing` keeps it as files.
"""
