"""Repositories of OCI images: on disk and behind registries, copied and checked by digest."""
