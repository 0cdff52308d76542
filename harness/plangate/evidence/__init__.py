"""Evidence: what was proven, by whom, in a form that outsiders can check without plangate."""
