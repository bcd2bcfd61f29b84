"""The system-design playground: draw a system, press play, watch real request traffic go through it."""
