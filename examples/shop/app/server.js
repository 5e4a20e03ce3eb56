// The shop: a page, a small JSON API, figures of itself, and a health check that asks the database.
const http = require('node:http')
const os = require('node:os')
const { Pool } = require('pg')
const figures = require('./figures.js')
const { release } = require('./release.js')

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10, connectionTimeoutMillis: 5000 })
pool.on('error', (error) => console.error('database connection lost:', error.message))

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const html = (text) => String(text).replace(/[&<>"']/g, (character) => escapes[character])

function send(response, status, type, body) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-served-by': os.hostname(),
    'x-release': release,
  })
  response.end(body)
}
const sendJson = (response, status, value) => send(response, status, 'application/json', `${JSON.stringify(value)}\n`)

async function readBody(request) {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > 10_000) throw Object.assign(new Error('at most 10,000 characters'), { status: 413 })
  }
  return body
}

const products = async () => (await pool.query('select id, name, cents from products order by id')).rows
const counts = async () =>
  (await pool.query('select product, count(*)::int as orders from orders group by product order by product')).rows

async function order(product) {
  const { rows } = await pool.query(
    'insert into orders (product) select id from products where id = $1 returning id, product',
    [String(product)],
  )
  if (!rows[0]) throw Object.assign(new Error(`there is no product ${product}`), { status: 404 })
  figures.ordered()
  return rows[0]
}

const routes = {
  'GET /': async (_request, response) => {
    const list = (await products())
      .map(({ id, name, cents }) => {
        const button = `<button name="product" value="${html(id)}">Order</button>`
        return `<li>${html(name)}, ${(cents / 100).toFixed(2)} <form method="post" action="/">${button}</form></li>`
      })
      .join('')
    const page = `<!doctype html><meta charset="utf-8"><title>Shop</title><h1>Shop</h1><ul>${list}</ul><p>${html(release)} on ${html(os.hostname())}</p>\n`
    send(response, 200, 'text/html; charset=utf-8', page)
  },
  'POST /': async (request, response) => {
    await order(new URLSearchParams(await readBody(request)).get('product'))
    response.writeHead(303, { location: '/' }).end()
  },
  'GET /ping': async (_request, response) => sendJson(response, 200, { release, machine: os.hostname() }),
  'GET /products': async (_request, response) => sendJson(response, 200, await products()),
  'GET /orders': async (_request, response) => sendJson(response, 200, await counts()),
  'POST /orders': async (request, response) =>
    sendJson(response, 201, await order(JSON.parse(await readBody(request)).product)),
  'GET /healthz': async (_request, response) => {
    await pool.query('select 1')
    sendJson(response, 200, { ok: true, release })
  },
  'GET /metrics': async (_request, response) => send(response, 200, 'text/plain; version=0.0.4', figures.text()),
}

const server = http.createServer(async (request, response) => {
  const began = process.hrtime.bigint()
  const path = new URL(request.url, 'http://shop').pathname
  const name = `${request.method} ${path}`
  const known = Object.hasOwn(routes, name)
  response.on('finish', () =>
    figures.observe(known ? name : 'other', response.statusCode, Number(process.hrtime.bigint() - began) / 1e9),
  )
  try {
    if (known) await routes[name](request, response)
    else sendJson(response, 404, { error: `nothing at ${path}` })
  } catch (error) {
    const status = error instanceof SyntaxError ? 400 : (error.status ?? 500)
    if (status === 500) console.error(error)
    sendJson(response, status, { error: error.message })
  }
})
// Longer than the load balancer keeps an idle connection, so that this side never closes one just as a request arrives.
server.keepAliveTimeout = 65_000
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`${release} listens on ${process.env.PORT ?? 8080}`))

process.on('SIGTERM', () => {
  server.close(() => pool.end().then(() => process.exit(0)))
  server.closeIdleConnections()
})
