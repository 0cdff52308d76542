"""Bundles in OCI registries: references, credentials, the distribution API, push and pull."""
