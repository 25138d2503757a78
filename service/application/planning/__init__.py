"""What is going to be served, worked out of the settings with all that is wrong, and nothing of it open yet.

`plan` is all of it, `schema` what the catalogue's listings consist of.
"""
