"""Containers: the tools that run them, their images, what they see of the host, and ways to keep them up."""
