"""Pictures: figure specifications and the plotter that draws them."""
