"""Weaves, releases and grades the course. Nothing here is given to students."""
