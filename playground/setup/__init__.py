"""What `manage.py play` and `manage.py test` do before Django starts, in the standard library alone.

It makes the project's own environment, installs what a command needs, builds the page and the engine, and finds a
browser for the tests. Nothing here may import a package that isn't Python's own: on a bare clone there is none.
"""
