/** Files of a blueprint: one machine with a Node.js application that answers `says` on port 8080. */
export function smallApplication(says: string): Record<string, string> {
  return {
    'blueprint.yaml': `
apiVersion: kitbag/v1
name: small
components:
  web:
    source: ./app
    runtime: nodejs
    start: node server.js
    port: 8080
    public: true
    machine: { memory: 256MiB }
    health: { http: /, interval: 200ms }
    update: { drain: 0s }
`,
    'app/server.js': `require('node:http').createServer((_, response) => response.end('${says}')).listen(process.env.PORT)\n`,
  }
}
