"""The operation `rehearse`: an environment's migration Jobs, run here before the cluster runs them."""
