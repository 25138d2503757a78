"""An arrival schedule replayed: by threads that wait for answers, or by one that keeps many requests in flight."""
