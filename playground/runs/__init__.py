"""Runs of designs: the Django app that creates, watches and steers them."""
