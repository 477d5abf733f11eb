"""The mutation gate: launchers that are broken on purpose, each of which the integration suite has to notice."""
