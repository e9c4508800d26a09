"""The operation `plan`: what a release would do to an environment, before anything is done."""
