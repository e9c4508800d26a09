// Lets Prisma 6.19.3 pull through its WebAssembly engine and the pg driver: nothing is downloaded, and only the database
// is talked to. See tools/prisma.py.
import { PrismaPg } from "@prisma/adapter-pg";
import { defineConfig } from "prisma/config";

const OID = { char: 18, name: 19, text: 25 };
const CHARACTER = 6; // ColumnTypeEnum.Character of @prisma/driver-adapter-utils 6.19

// adapter-pg 6.19.3 cannot decode two types of the catalogs, `name` and `"char"` (prisma/orm issue 27403)
class Catalogs extends PrismaPg {
  async connect() {
    const adapter = await super.connect();
    const plain = adapter.queryRaw;
    adapter.queryRaw = async (query) => {
      const chars = new Set();
      const reading = Object.create(adapter, {
        performIO: {
          value: async (asked) => {
            const answer = await adapter.performIO(asked);
            for (const [column, field] of (answer.fields ?? []).entries()) {
              if (field.dataTypeID === OID.char) chars.add(column);
              if (field.dataTypeID === OID.char || field.dataTypeID === OID.name) field.dataTypeID = OID.text;
            }
            return answer;
          },
        },
      });
      const rows = await plain.call(reading, query);
      for (const column of chars) rows.columnTypes[column] = CHARACTER;
      return rows;
    };
    return adapter;
  }

  async connectToShadowDb() {
    throw new Error("there is no shadow database: nothing but a pull is meant to run here");
  }
}

export default defineConfig({
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new Catalogs({ connectionString: process.env.GANDER_PULL_URL, allowExitOnIdle: true }),
});
