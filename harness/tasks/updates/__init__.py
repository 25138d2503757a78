"""The updates task: writes at the operating point, what is asked before and after them, and when queries see them."""
