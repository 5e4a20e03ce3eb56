import { defineConfig } from 'drizzle-kit'

// `npx drizzle-kit generate --name what-changed` after every change of the schema; the files it writes are committed.
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/db/schema.ts',
  out: './src/db/migrations',
})
