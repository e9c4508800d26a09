"""The step `verify`: whether an environment's databases are where its release says, by five facts looked at now."""
