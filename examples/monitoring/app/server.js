const http = require('node:http')

let greetings = 0

http
  .createServer(({ url }, response) => {
    if (url === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4')
      return response.end(
        `# HELP greetings_total Greetings so far\n# TYPE greetings_total counter\ngreetings_total ${greetings}\n`,
      )
    }
    if (url === '/error') response.statusCode = 500
    if (url !== '/healthz') greetings++
    response.end('hello\n')
  })
  .listen(Number(process.env.PORT), '::')
