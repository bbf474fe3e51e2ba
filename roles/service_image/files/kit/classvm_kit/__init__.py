"""What runs beside a student's app in its container. Python 3.7, standard library and gunicorn."""

import os

# The port of the container that Docker publishes; an app may know another one.
PORT = int(os.environ["CLASSVM_PORT"])
# All addresses of the container: Docker decides who reaches them.
EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is what the kit is for
# How many requests an app answers at a time.
THREADS = 8
