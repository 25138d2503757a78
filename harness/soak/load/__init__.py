"""What is asked of the service and checked while the load runs.

`plan` says what is asked and when, `learning` asks the service what it holds, `requests` makes requests of that.
`checking` judges answers, `samples` has a row for each request, `counting` says whether one is missing, `recording`
keeps them in files.
"""
