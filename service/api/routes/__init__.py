"""What answers each request: functions that take the service's parts and a request, and give a response.

`listings` writes and reads listings, `events` records events, `waiting` waits for such writes; `asking` recommends and
searches, `filters` reads and limits filters; `browsing` shows what there is to ask for; `operating` is for who runs
the service.
"""
