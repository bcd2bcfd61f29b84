"""Management commands of the project: what `manage.py NAME` runs."""
