"""schema.prisma, only ever pulled from the migrated local database."""
