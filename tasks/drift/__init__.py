"""The operation `drift`: the schema of another environment against the one that the migrations build."""
