import { StringDecoder } from 'node:string_decoder'

/** Longer ones are handed over in pieces, so that an endless line cannot fill the memory. Characters. */
const longest = 16 * 1024 * 1024

/** Cuts a byte stream into lines of UTF-8, wherever the chunks' borders lie. A last line without newline is not handed over. */
export function createLineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let pieces: string[] = []
  let size = 0
  return (chunk) => {
    const text = decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end))
      const line = pieces.join('')
      pieces = []
      size = 0
      start = end + 1
      onLine(line)
    }
    if (start === text.length) return
    pieces.push(text.slice(start))
    size += text.length - start
    if (size < longest) return
    const line = pieces.join('')
    pieces = []
    size = 0
    onLine(line)
  }
}
