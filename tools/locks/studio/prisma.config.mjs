// Lets Prisma Studio find its database without an address among its arguments. See tools/studio.py.
import { defineConfig } from "prisma/config";

export default defineConfig({ datasource: { url: process.env.GANDER_STUDIO_URL } });
