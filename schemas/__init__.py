"""The shapes: documents, the values that they load into, and the errors."""
