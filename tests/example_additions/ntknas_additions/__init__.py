"""A third party's package: a space, a benchmark of it, and a source of images, by entry points alone."""
