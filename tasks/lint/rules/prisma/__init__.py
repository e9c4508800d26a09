"""The rules on Prisma and on what runs it."""
