"""Git repositories of strangers, asked and read without running anything that they say."""
