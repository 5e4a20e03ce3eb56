const { createServer } = require('node:https')

const { TLS: pem, PORT } = process.env

const server = createServer({ cert: pem, key: pem }, (_request, response) => {
  response.end('hello, and nobody listened in\n')
})
server.listen(Number(PORT), '::')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
