"""The step `promote`: an image's name into the values file of an environment, on the branch that Argo CD follows."""
