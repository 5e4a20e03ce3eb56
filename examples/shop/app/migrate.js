// Runs once per release, before it takes traffic. Written so that running it twice does no harm.
const { Client } = require('pg')

const products = [
  ['bag', 'Kit bag', 4900],
  ['rope', 'Rope, 20 m', 1900],
  ['lamp', 'Lamp', 2500],
]

async function main() {
  const client = new Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 })
  await client.connect()
  await client.query(
    'create table if not exists products (id text primary key, name text not null, cents integer not null)',
  )
  await client.query(
    'create table if not exists orders (id bigserial primary key, product text not null references products, at timestamptz not null default now())',
  )
  for (const product of products) {
    await client.query(
      'insert into products (id, name, cents) values ($1, $2, $3) on conflict (id) do nothing',
      product,
    )
  }
  await client.end()
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
