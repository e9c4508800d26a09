"""What files of every kind run: the commands in them, with their places."""
