"""One commit of one service's migrations and Prisma schemas, and of nothing else."""
