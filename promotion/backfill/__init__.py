"""Lists of other tools, turned into the deliveries those tools would have sent; one module a tool."""
