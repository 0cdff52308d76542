"""One file for a customer: an OCI image layout in a tar with release, suites, results and evidence."""
