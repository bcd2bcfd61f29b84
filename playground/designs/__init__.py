"""Saved designs: the Django app that keeps them."""
