"""What several engines share: columns, checks of vectors and parameters, the JSON form of filters and their
translation, words and directories. Imports the protocol only.
"""
