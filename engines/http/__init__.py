"""HTTP/1.1 as cheap as Python allows, for the query path of the engines that speak it."""
