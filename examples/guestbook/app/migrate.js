// Runs once per release, before it takes traffic. Written so that running it twice does no harm.
const { Client } = require('pg')

async function main() {
  const client = new Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 })
  await client.connect()
  await client.query(
    'create table if not exists entries (id bigserial primary key, name text not null, message text not null, at timestamptz not null default now())',
  )
  await client.end()
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
