"""Benchmarks behind ``manage.py bench``, and the real server as a subprocess, which tests use too."""
