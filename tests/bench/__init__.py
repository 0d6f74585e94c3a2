"""What pipelinekit costs, measured here and now: `make bench`."""
