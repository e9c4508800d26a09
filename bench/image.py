"""What `doit image` costs: a hundred services whose images are there, and the first image beside `docker build`."""
