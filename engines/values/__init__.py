"""Values that several engines share: columns, the JSON form of filters and their translation, words, directories,
addresses and answers of servers. Imports the protocol only.
"""
