// The guestbook: a page, a small JSON API, and a health check that asks the database.
const http = require('node:http')
const os = require('node:os')
const { Pool } = require('pg')
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

async function entries() {
  const { rows } = await pool.query('select id, name, message from entries order by id desc limit 50')
  return rows
}

async function addEntry(name, message) {
  if (!name || !message) throw Object.assign(new Error('name and message are required'), { status: 400 })
  const { rows } = await pool.query('insert into entries (name, message) values ($1, $2) returning id', [name, message])
  return rows[0]
}

const routes = {
  'GET /': async (_request, response) => {
    const list = (await entries()).map((e) => `<li><b>${html(e.name)}</b>: ${html(e.message)}</li>`).join('')
    const title = html(process.env.TITLE ?? 'Guestbook')
    const form =
      '<form method="post" action="/"><input name="name"> <input name="message"> <button>Sign</button></form>'
    const page = `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${form}<ul>${list}</ul><p>${html(release)} on ${html(os.hostname())}</p>\n`
    send(response, 200, 'text/html; charset=utf-8', page)
  },
  'POST /': async (request, response) => {
    const form = new URLSearchParams(await readBody(request))
    await addEntry(form.get('name'), form.get('message'))
    response.writeHead(303, { location: '/' }).end()
  },
  'GET /ping': async (_request, response) => sendJson(response, 200, { release, machine: os.hostname() }),
  'GET /entries': async (_request, response) => sendJson(response, 200, await entries()),
  'POST /entries': async (request, response) => {
    const { name, message } = JSON.parse(await readBody(request))
    sendJson(response, 201, await addEntry(name, message))
  },
  'GET /healthz': async (_request, response) => {
    await pool.query('select 1')
    sendJson(response, 200, { ok: true, release })
  },
}

const server = http.createServer(async (request, response) => {
  const path = new URL(request.url, 'http://guestbook').pathname
  const route = routes[`${request.method} ${path}`]
  try {
    if (route) await route(request, response)
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
