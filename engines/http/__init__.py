"""HTTP/1.1 as thin as Python allows, for the query path of the engines that speak it."""
