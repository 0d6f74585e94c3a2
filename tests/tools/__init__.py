"""Tools that know no pipeline, by themselves."""
