"""Values that several engines share: columns, the JSON form of filters and their translation, words and directories.
Imports the protocol only.
"""
