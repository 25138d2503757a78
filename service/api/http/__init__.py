"""HTTP as every route needs it: what is read of requests, what answers consist of, what goes wrong.

`requests` reads addresses, headers and bodies within their limits, `bodies` are the types that JSON is read into and
written from, `decoding` reads them and says all that is wrong, `lines` takes bodies of many apart, `png` draws
pictures, `problems` is what goes wrong as an answer (RFC 9457).
"""
