// Answers with its machine's name, and how the client came.
const http = require('node:http')
const { hostname } = require('node:os')

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ machine: hostname(), path: request.url, proto: request.headers['x-forwarded-proto'] }))
})
server.keepAliveTimeout = 65_000
server.listen(Number(process.env.PORT), '::')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
