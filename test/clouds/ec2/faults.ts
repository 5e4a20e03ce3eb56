import type { ServerResponse } from 'node:http'

/** One way to go wrong. The first rule that hits a call decides. */
export interface Ec2Fault {
  /** Names of calls (`RunInstances`). Default: every call. */
  calls?: string[]
  /** Only where the request's text contains this. */
  containing?: string
  /** Share of the calls that it hits, 0 to 1. Default 1. */
  rate?: number
  /** Hits at most so often. Default: no end. */
  times?: number
  /** Lets so many pass before it begins. */
  after?: number
  /**
   * `cut-after`: takes effect, and the connection ends without an answer; `cut-before`: no effect; `html`: a page of a proxy with
   * status 200; `gateway`: such a page with 502; `truncated`: takes effect, half of the answer; `redirect`: to the metadata address;
   * else an error code of EC2 with its status.
   */
  effect:
    | 'cut-after'
    | 'cut-before'
    | 'html'
    | 'gateway'
    | 'truncated'
    | 'redirect'
    | { code: string; status?: number; message?: string }
}

/** Tells the fault that hits a call, by the rules as they are now. */
export function faultFinder(): {
  set(rules: Ec2Fault[]): void
  find(call: string, request: string): Ec2Fault | undefined
} {
  let rules: (Ec2Fault & { seen: number; hit: number })[] = []
  return {
    set(wanted) {
      rules = wanted.map((rule) => ({ ...rule, seen: 0, hit: 0 }))
    },
    find: (call, request) =>
      rules.find((rule) => {
        if (rule.calls && !rule.calls.includes(call)) return false
        if (rule.containing !== undefined && !request.includes(rule.containing)) return false
        if (rule.seen++ < (rule.after ?? 0)) return false
        if (Math.random() >= (rule.rate ?? 1)) return false
        return rule.times === undefined || rule.hit++ < rule.times
      }),
  }
}

/** An error as EC2 says it. */
export function sendError(response: ServerResponse, code: string, message: string, status = 400): void {
  const words = `<Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>`
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${words}<RequestID>test</RequestID></Response>`
  response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' }).end(text)
}

const page = '<!DOCTYPE html><html><head><title>Proxy</title></head><body><h1>Please log in</h1></body></html>'

/** Answers, or does not, as a fault wants. `answer`: what EC2 would have said, where there was an effect. */
export function actOut({ effect }: Ec2Fault, response: ServerResponse, answer?: string): void {
  if (typeof effect === 'object') sendError(response, effect.code, effect.message ?? 'as asked for', effect.status)
  else if (effect === 'cut-after' || effect === 'cut-before') response.socket?.destroy()
  else if (effect === 'redirect') response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end()
  else if (effect === 'truncated') response.writeHead(200, { 'content-type': 'text/xml' }).end(half(answer ?? ''))
  else response.writeHead(effect === 'html' ? 200 : 502, { 'content-type': 'text/html' }).end(page)
}

function half(text: string): string {
  return text.slice(0, text.length / 2)
}

export const takesEffect = (fault: Ec2Fault) => fault.effect === 'cut-after' || fault.effect === 'truncated'
