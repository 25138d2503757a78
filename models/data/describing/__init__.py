"""What `bakeoff data describe` says of files of items and of interactions: how every column is read and why, what is
left out, and the YAML that says otherwise. It reads through `models.data.reading` and decides nothing itself.
"""
