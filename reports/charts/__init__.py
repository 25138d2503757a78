"""Charts as inline SVG. Draws what it is given; decides nothing."""
