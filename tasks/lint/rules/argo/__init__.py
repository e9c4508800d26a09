"""AR: what Argo CD and Kubernetes are told of migrations."""
