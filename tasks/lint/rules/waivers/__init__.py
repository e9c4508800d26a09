"""LA: what says that a finding may stay for a while."""
