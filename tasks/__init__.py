"""The steps: what each does, as typed functions that know nothing of doit."""
