"""Pages of results: one HTML file each, which needs no network, to look at and to pass on."""
