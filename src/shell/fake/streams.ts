import { type Duplex, duplexPair } from 'node:stream'

/** The near end of a connection whose far end answers one HTTP request with a status, and closes. */
export function httpStream(answer: (path: string) => number | Promise<number>): Duplex {
  return stream(/\r\n\r\n/, async (request) => {
    const path = request.split(' ', 2)[1] ?? '/'
    return `HTTP/1.1 ${await answer(path)} Fake\r\ncontent-type: text/plain\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
  })
}

/** The near end of a connection whose far end answers one line, and closes. */
export function lineStream(answer: (line: string) => string | Promise<string>): Duplex {
  return stream(/\n/, async (line) => answer(line))
}

function stream(complete: RegExp, answer: (text: string) => Promise<string>): Duplex {
  const [near, far] = duplexPair()
  let text = ''
  let asked = false
  far.setEncoding('utf8')
  far.on('data', (chunk: string) => {
    text += chunk
    if (asked || !complete.test(text)) return
    asked = true
    answer(text).then(
      (said) => far.end(said),
      (error) => near.destroy(error),
    )
  })
  far.on('end', () => !asked && far.end())
  far.on('error', () => {})
  return near
}
