"""The register of stages."""
