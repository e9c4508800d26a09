"""The step `sync`: Argo CD is asked for the commit that a release is written down in, and followed to the end."""
